#include "tamiz/core/simulation/minimizer.hpp"

#include <algorithm>
#include <cmath>

namespace tamiz::detail {
namespace {

// FIRE, values of Bitzek et al. but for the time step: coordinates are scaled so that bonds and strains have
// curvatures near 25 eV/Å², for which 0.12 is a third of the stability limit.
constexpr double k_largest_timestep = 1.0;
constexpr double k_smallest_timestep = 0.02;
constexpr double k_grow = 1.1, k_shrink = 0.5, k_start_mixing = 0.25, k_mixing_decay = 0.99;
constexpr int k_delay = 5;

// Quasi-Newton.
constexpr double k_first_curvature = 40.0;  // [eV/Å²], stiffer than a bond: the first step falls short
constexpr std::size_t k_memory = 40;
constexpr double k_smallest_radius = 0.005, k_largest_radius = 2.0;  // [Å]

}  // namespace

Eigen::VectorXd Fire::propose(const Eigen::VectorXd& force) {
  if (velocity_.size() == 0) velocity_ = Eigen::VectorXd::Zero(force.size());
  Eigen::VectorXd back = Eigen::VectorXd::Zero(force.size());
  if (force.dot(velocity_) >= 0.0) {
    if (++downhill_steps_ > k_delay) {
      timestep_ = std::min(timestep_ * k_grow, k_largest_timestep);
      mixing_ *= k_mixing_decay;
    }
  } else {
    back = -0.5 * timestep_ * velocity_;
    velocity_.setZero();
    downhill_steps_ = 0;
    timestep_ = std::max(timestep_ * k_shrink, k_smallest_timestep);
    mixing_ = k_start_mixing;
  }
  velocity_ += timestep_ * force;
  const double norm = force.norm();
  if (norm > 0.0) velocity_ = (1.0 - mixing_) * velocity_ + mixing_ * velocity_.norm() / norm * force;
  const double bias = 1.0 - std::pow(1.0 - mixing_, downhill_steps_ + 1);
  return timestep_ / std::max(bias, mixing_) * velocity_ + back;
}

void QuasiNewton::learn(const Eigen::VectorXd& force) {
  if (last_step_.size() == 0) return;
  // Trapezoid rule: the energy changed by about −(F_old + F_new)·s/2.
  const double gain = (last_force_ + force).dot(last_step_);
  const bool downhill = gain >= 0.0;
  uphill_ = downhill ? 0 : uphill_ + 1;
  radius_ = downhill ? std::min(1.5 * radius_, k_largest_radius) : std::max(0.5 * last_step_.norm(), k_smallest_radius);
  Pair pair{last_step_, last_force_ - force, 0.0};
  pair.curvature = pair.step.dot(pair.change);
  if (pair.curvature <= 1e-4 * pair.step.squaredNorm()) return;  // not convex here: nothing to learn
  pairs_.push_back(std::move(pair));
  if (pairs_.size() > k_memory) pairs_.pop_front();
}

Eigen::VectorXd QuasiNewton::direction(const Eigen::VectorXd& force) const {
  Eigen::VectorXd q = force;
  std::vector<double> alpha(pairs_.size());
  for (std::size_t k = pairs_.size(); k-- > 0;) {
    alpha[k] = pairs_[k].step.dot(q) / pairs_[k].curvature;
    q -= alpha[k] * pairs_[k].change;
  }
  q *= pairs_.empty() ? 1.0 / k_first_curvature : pairs_.back().curvature / pairs_.back().change.squaredNorm();
  for (std::size_t k = 0; k < pairs_.size(); ++k)
    q += (alpha[k] - pairs_[k].change.dot(q) / pairs_[k].curvature) * pairs_[k].step;
  return q;
}

Eigen::VectorXd QuasiNewton::propose(const Eigen::VectorXd& force) {
  learn(force);
  Eigen::VectorXd step = direction(force);
  if (step.norm() > radius_) step *= radius_ / step.norm();
  last_force_ = force;
  last_step_ = step;
  return step;
}

}  // namespace tamiz::detail
