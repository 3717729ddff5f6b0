#pragma once

#include <Eigen/Core>
#include <span>
#include <string>

namespace tamiz {

/// One row per point.
using PointRows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// What is known of a value, in the unit of the targets and its square.
struct Posterior {
  Eigen::VectorXd mean;
  Eigen::VectorXd variance;  ///< of a new target, noise included
};

/// Regression y = T β + f(x) + ε with a Gaussian process f of covariance s² k(|x − x'|), Matérn's k with ν = 5/2 and a
/// length ℓ, and noise ε of variance s² λ (Rasmussen and Williams, Gaussian Processes for Machine Learning, 2006, eqs. 4.17
/// and 2.41). T are columns that the targets may depend on linearly, a column of ones among them; β is what least squares
/// give.
class GaussianProcess {
 public:
  struct Widths {
    double length;  ///< ℓ, in the unit of the points
    double noise;   ///< λ
  };

  /// Chooses ℓ, λ and s² by restricted maximum likelihood (Patterson and Thompson 1971, doi:10.1093/biomet/58.3.545):
  /// ℓ from a twentieth to twenty times the median distance of two points, λ from 1e-6 to 10; of more than 500 points, so many, evenly spaced,
  /// choose. Takes O(n³) time.
  /// Throws ShapeError where the numbers of rows differ or are fewer than the columns of T and two; NumericsError for what is
  /// not finite, or columns of T of which one follows from the others.
  GaussianProcess(PointRows points, PointRows trends, Eigen::VectorXd targets);
  /// With widths that were chosen before.
  GaussianProcess(PointRows points, PointRows trends, Eigen::VectorXd targets, Widths widths);

  /// Throws ShapeError for other numbers of columns.
  Posterior predict(const PointRows& points, const PointRows& trends) const;
  /// Of every target from those of other groups, at the same widths and s² (Dubrule 1983, doi:10.1007/BF01033232); `groups`
  /// has one name per target. Throws ShapeError for another number of them.
  Posterior leave_out(std::span<const std::string> groups) const;

  const PointRows& points() const { return points_; }
  Widths widths() const { return widths_; }
  /// Logarithm of the restricted likelihood at the widths, but for a constant.
  double log_likelihood() const { return log_likelihood_; }

 private:
  void solve();

  PointRows points_, trends_;
  Eigen::VectorXd targets_;
  Widths widths_{};
  double scale_ = 0.0;           // s²
  double log_likelihood_ = 0.0;
  Eigen::MatrixXd inverse_;      // (R + λ 1)⁻¹
  Eigen::MatrixXd whitened_;     // (R + λ 1)⁻¹ T
  Eigen::MatrixXd trend_inverse_;  // (Tᵀ (R + λ 1)⁻¹ T)⁻¹
  Eigen::VectorXd trend_weights_;  // β
  Eigen::VectorXd weights_;        // (R + λ 1)⁻¹ (y − T β)
};

}  // namespace tamiz
