#include "tamiz/potentials/engine/radial/spline.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <string>

#include "tamiz/core/base/error.hpp"

namespace tamiz {

RadialSpline::RadialSpline(double cutoff, int n_nodes) : spacing_(cutoff / (n_nodes + 1)) {
  if (n_nodes < 4) throw ShapeError("a radial spline needs at least 4 nodes, got " + std::to_string(n_nodes));
  for (int k = 1; k <= n_nodes; ++k) nodes_.push_back(k * spacing_);
  // Unknown c_0..c_{n+3}; the spline at knot k (r = k·h) is (c_k + 4 c_{k+1} + c_{k+2})/6.
  const int n = n_nodes + 4;
  Eigen::MatrixXd system = Eigen::MatrixXd::Zero(n, n), values = Eigen::MatrixXd::Zero(n, n_nodes);
  for (int k = 1; k <= n_nodes + 1; ++k) {
    system.block(k, k, 1, 3) << 1.0 / 6.0, 4.0 / 6.0, 1.0 / 6.0;
    if (k <= n_nodes) values(k, k - 1) = 1.0;
  }
  // No curvature at r = 0 nor at the first node, so that the line goes on to r = 0; no slope at the cutoff.
  system.block(0, 0, 1, 3) << 1.0, -2.0, 1.0;
  system.block(n - 2, 1, 1, 3) << 1.0, -2.0, 1.0;
  system(n - 1, n - 3) = -1.0;
  system(n - 1, n - 1) = 1.0;
  matrix_ = system.partialPivLu().solve(values);
}

RadialSpline::Weights RadialSpline::at(double r) const {
  const int interval = std::clamp(static_cast<int>(r / spacing_), 0, n_coefficients() - 4);
  const double t = r / spacing_ - interval, u = 1.0 - t, h = 1.0 / spacing_;
  return {interval,
          {u * u * u / 6.0, (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0, (3.0 * u * u * u - 6.0 * u * u + 4.0) / 6.0,
           t * t * t / 6.0},
          {-0.5 * u * u * h, (1.5 * t * t - 2.0 * t) * h, (2.0 * u - 1.5 * u * u) * h, 0.5 * t * t * h}};
}

std::array<double, 4> RadialSpline::curvatures(double r) const {
  const int interval = std::clamp(static_cast<int>(r / spacing_), 0, n_coefficients() - 4);
  const double t = r / spacing_ - interval, u = 1.0 - t, h = 1.0 / (spacing_ * spacing_);
  return {u * h, (3.0 * t - 2.0) * h, (3.0 * u - 2.0) * h, t * h};
}

}  // namespace tamiz
