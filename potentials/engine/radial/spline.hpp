#pragma once

#include <Eigen/Core>
#include <array>
#include <vector>

namespace tamiz {

/// Radial functions as cubic B-splines on uniform knots over [0, cutoff]: twice differentiable, linear in
/// the function's values at the nodes. The radial network is then evaluated at the nodes only, and every
/// edge costs an interpolation of four coefficients.
class RadialSpline {
 public:
  /// n_nodes >= 4 values at r_k = (k + 1)·cutoff/(n_nodes + 1). At the cutoff value and slope are zero;
  /// at r = 0 the second derivative is zero and the value is extrapolated linearly.
  RadialSpline(double cutoff, int n_nodes);

  int n_coefficients() const { return static_cast<int>(matrix_.rows()); }
  const std::vector<double>& nodes() const { return nodes_; }
  /// (n_coefficients, n_nodes): coefficients = matrix · values at the nodes.
  const Eigen::MatrixXd& matrix() const { return matrix_; }

  struct Weights {
    int first;                            ///< coefficient that values[0] belongs to
    std::array<double, 4> values, slopes;  ///< weights, and their d/dr [1/Å]
  };
  /// Weights of the four coefficients that count at 0 <= r < cutoff [Å].
  Weights at(double r) const;
  /// Second derivatives of the weights [1/Å²].
  std::array<double, 4> curvatures(double r) const;

 private:
  double spacing_;
  std::vector<double> nodes_;
  Eigen::MatrixXd matrix_;
};

}  // namespace tamiz
