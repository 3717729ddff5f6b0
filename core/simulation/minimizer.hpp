#pragma once

#include <Eigen/Core>
#include <deque>
#include <vector>

namespace tamiz::detail {

/// FIRE (Bitzek et al. 2006, doi:10.1103/PhysRevLett.97.170201) with the bias correction of its ABC form
/// (Echeverri Restrepo and Andric 2023, doi:10.1016/j.commatsci.2022.111978). Coordinates [Å] of unit mass.
class Fire {
 public:
  /// Step [Å] to take at the point where the generalised force is `force` [eV/Å].
  Eigen::VectorXd propose(const Eigen::VectorXd& force);

 private:
  Eigen::VectorXd velocity_;
  double timestep_ = 0.12;
  double mixing_ = 0.25;
  int downhill_steps_ = 0;
};

/// Limited-memory BFGS (Nocedal 1980, doi:10.1090/S0025-5718-1980-0572855-7) on forces alone, without line
/// search: a step that went uphill, judged by the forces at both ends, halves the length allowed to the next.
class QuasiNewton {
 public:
  Eigen::VectorXd propose(const Eigen::VectorXd& force);
  /// The step that was taken after limits from outside.
  void taken(const Eigen::VectorXd& step) { last_step_ = step; }
  /// Forgets everything.
  void reset() { *this = QuasiNewton(); }
  /// Uphill steps since the last downhill one.
  int uphill() const { return uphill_; }

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
  int uphill_ = 0;
};

#ifdef USE_FIRE
struct Minimizer : Fire { void taken(const Eigen::VectorXd&) {} };
#else
using Minimizer = QuasiNewton;
#endif

}  // namespace tamiz::detail
