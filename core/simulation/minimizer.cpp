#include "tamiz/core/simulation/minimizer.hpp"

#include <algorithm>
#include <cmath>

namespace tamiz::detail {
namespace {

constexpr double k_first_curvature = 40.0;  // [eV/Å²], stiffer than a bond: the first step falls short
constexpr std::size_t k_memory = 40;
constexpr double k_smallest_radius = 0.005, k_largest_radius = 2.0;  // [Å]

}  // namespace

void Minimizer::learn(const Eigen::VectorXd& force) {
  if (last_step_.size() == 0) return;
  // Trapezoid rule: the energy changed by about −(F_old + F_new)·s/2.
  const double gain = (last_force_ + force).dot(last_step_);
  const bool downhill = gain >= 0.0;
  radius_ = downhill ? std::min(1.5 * radius_, k_largest_radius) : std::max(0.5 * last_step_.norm(), k_smallest_radius);
  Pair pair{last_step_, last_force_ - force, 0.0};
  pair.curvature = pair.step.dot(pair.change);
  if (pair.curvature <= 1e-4 * pair.step.squaredNorm()) {
    pairs_.clear();
    stretch_ = downhill ? 2.0 * stretch_ : 1.0;
    return;
  }
  stretch_ = 1.0;
  pairs_.push_back(std::move(pair));
  if (pairs_.size() > k_memory) pairs_.pop_front();
}

Eigen::VectorXd Minimizer::direction(const Eigen::VectorXd& force) const {
  Eigen::VectorXd q = force;
  std::vector<double> alpha(pairs_.size());
  for (std::size_t k = pairs_.size(); k-- > 0;) {
    alpha[k] = pairs_[k].step.dot(q) / pairs_[k].curvature;
    q -= alpha[k] * pairs_[k].change;
  }
  q *= pairs_.empty() ? stretch_ / k_first_curvature : pairs_.back().curvature / pairs_.back().change.squaredNorm();
  for (std::size_t k = 0; k < pairs_.size(); ++k)
    q += (alpha[k] - pairs_[k].change.dot(q) / pairs_[k].curvature) * pairs_[k].step;
  return q;
}

Eigen::VectorXd Minimizer::propose(const Eigen::VectorXd& force) {
  learn(force);
  Eigen::VectorXd step = direction(force);
  if (step.norm() > radius_) step *= radius_ / step.norm();
  last_force_ = force;
  last_step_ = step;
  return step;
}

}  // namespace tamiz::detail
