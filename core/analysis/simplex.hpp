#pragma once

#include <Eigen/Core>
#include <vector>

namespace tamiz::detail {

struct LinearProgramResult {
  enum class Status { optimal, unbounded } status;
  double value = 0.0;
  Eigen::VectorXd solution;  ///< one value per column
};

/// min c·x subject to A·x = b, x ≥ 0, by the revised simplex method with Bland's rule (no cycling), from
/// the feasible basis `basis` (one column index per row, which must solve to x ≥ 0). Throws ConvergenceError
/// when rounding makes it cycle.
LinearProgramResult minimise(const Eigen::MatrixXd& a, const Eigen::VectorXd& b, const Eigen::VectorXd& c,
                             std::vector<Eigen::Index> basis);

}  // namespace tamiz::detail
