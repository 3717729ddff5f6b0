#pragma once

#include <Eigen/Core>
#include <deque>
#include <vector>

namespace tamiz::detail {

/// Limited-memory BFGS (Nocedal 1980, doi:10.1090/S0025-5718-1980-0572855-7) on forces alone, without line
/// search: a step that went uphill, judged by the forces at both ends, halves the length allowed to the next.
/// Where the energy is not convex along the last step, steps follow the force and double.
class Minimizer {
 public:
  Eigen::VectorXd propose(const Eigen::VectorXd& force);
  /// The step that was taken after limits from outside.
  void taken(const Eigen::VectorXd& step) { last_step_ = step; }

 private:
  struct Pair {
    Eigen::VectorXd step, change;  // of the coordinates and of the gradient
    double curvature;              // their product, > 0
  };
  void learn(const Eigen::VectorXd& force);
  Eigen::VectorXd direction(const Eigen::VectorXd& force) const;

  std::deque<Pair> pairs_;
  Eigen::VectorXd last_force_, last_step_;
  double radius_ = 1.0;  // [Å], over all coordinates
  double stretch_ = 1.0;  // of steps where the energy is not convex
};

}  // namespace tamiz::detail
