#include "tamiz/core/analysis/simplex.hpp"

#include <Eigen/LU>
#include <cmath>
#include <string>

#include "tamiz/core/base/error.hpp"

namespace tamiz::detail {
namespace {

constexpr double k_tolerance = 1e-12;
// Bland's rule ends in exact arithmetic; the limit turns a cycle made by rounding into an error.
constexpr int k_max_iterations = 100000;

Eigen::MatrixXd columns(const Eigen::MatrixXd& a, const std::vector<Eigen::Index>& basis) {
  Eigen::MatrixXd result(a.rows(), a.rows());
  for (Eigen::Index r = 0; r < a.rows(); ++r) result.col(r) = a.col(basis[static_cast<std::size_t>(r)]);
  return result;
}

/// Row that leaves when `direction` enters: the least ratio, the lowest column index among ties.
Eigen::Index leaving_row(const Eigen::VectorXd& x, const Eigen::VectorXd& direction,
                         const std::vector<Eigen::Index>& basis) {
  Eigen::Index best = -1;
  double best_ratio = 0.0;
  for (Eigen::Index r = 0; r < x.size(); ++r) {
    if (direction[r] <= k_tolerance) continue;
    const double ratio = std::max(0.0, x[r]) / direction[r];
    const bool tie = best >= 0 && std::abs(ratio - best_ratio) <= k_tolerance;
    if (best < 0 || ratio < best_ratio - k_tolerance ||
        (tie && basis[static_cast<std::size_t>(r)] < basis[static_cast<std::size_t>(best)])) {
      best = r;
      best_ratio = ratio;
    }
  }
  return best;
}

}  // namespace

LinearProgramResult minimise(const Eigen::MatrixXd& a, const Eigen::VectorXd& b, const Eigen::VectorXd& c,
                             std::vector<Eigen::Index> basis) {
  for (int iteration = 0; iteration < k_max_iterations; ++iteration) {
    const Eigen::FullPivLU<Eigen::MatrixXd> lu(columns(a, basis));
    const Eigen::VectorXd x = lu.solve(b);
    Eigen::VectorXd basic_cost(a.rows());
    for (Eigen::Index r = 0; r < a.rows(); ++r) basic_cost[r] = c[basis[static_cast<std::size_t>(r)]];
    const Eigen::VectorXd prices = columns(a, basis).transpose().fullPivLu().solve(basic_cost);
    const Eigen::VectorXd reduced = c - a.transpose() * prices;
    Eigen::Index entering = -1;
    for (Eigen::Index k = 0; k < reduced.size() && entering < 0; ++k)
      if (reduced[k] < -k_tolerance * (1.0 + std::abs(c[k]))) entering = k;
    if (entering < 0) {
      LinearProgramResult result{LinearProgramResult::Status::optimal, prices.dot(b), Eigen::VectorXd::Zero(a.cols())};
      for (Eigen::Index r = 0; r < a.rows(); ++r) result.solution[basis[static_cast<std::size_t>(r)]] = std::max(0.0, x[r]);
      return result;
    }
    const Eigen::Index row = leaving_row(x, lu.solve(a.col(entering)), basis);
    if (row < 0) return {LinearProgramResult::Status::unbounded, 0.0, {}};
    basis[static_cast<std::size_t>(row)] = entering;
  }
  throw ConvergenceError("the simplex method did not end within " + std::to_string(k_max_iterations) + " exchanges");
}

}  // namespace tamiz::detail
