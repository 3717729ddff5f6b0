#include "tamiz/potentials/engine/training/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tamiz {
namespace {

constexpr std::size_t k_chunk = 256;  ///< frames evaluated at once, to bound memory
constexpr std::size_t k_least_frames = 5;

/// |Error| and standard deviation of the members of every frame that has an energy [eV/atom].
struct CommitteeErrors {
  std::vector<double> errors, deviations;
};

CommitteeErrors committee_errors(const Potential& potential, std::span<const Frame> frames) {
  CommitteeErrors result;
  if (potential.capabilities().n_members < 2) return result;
  for (std::size_t begin = 0; begin < frames.size(); begin += k_chunk) {
    const auto part = frames.subspan(begin, std::min(k_chunk, frames.size() - begin));
    std::vector<Structure> structures;
    for (const Frame& frame : part) structures.push_back(frame.structure);
    const Prediction p = evaluate(potential, structures, {.forces = false, .members = true});
    const Eigen::VectorXd deviations = energy_deviations(p);
    for (std::size_t k = 0; k < part.size(); ++k) {
      const auto energy = part[k].labels.consistent_energy();
      if (!energy) continue;
      const auto row = static_cast<Eigen::Index>(k);
      if (deviations[row] <= 0.0) continue;
      const auto n_atoms = static_cast<double>(part[k].structure.size());
      result.errors.push_back(std::abs(p.energies[row] - *energy) / n_atoms);
      result.deviations.push_back(deviations[row] / n_atoms);
    }
  }
  return result;
}

/// Places in ascending order, equal values sharing the mean of theirs.
std::vector<double> ranks(const std::vector<double>& values) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return values[a] < values[b]; });
  std::vector<double> result(values.size());
  for (std::size_t begin = 0; begin < order.size();) {
    std::size_t end = begin;
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    for (std::size_t k = begin; k < end; ++k) result[order[k]] = 0.5 * static_cast<double>(begin + end - 1);
    begin = end;
  }
  return result;
}

double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  const auto n = static_cast<Eigen::Index>(a.size());
  const Eigen::Map<const Eigen::ArrayXd> x(a.data(), n), y(b.data(), n);
  const Eigen::ArrayXd dx = x - x.mean(), dy = y - y.mean();
  const double norm = std::sqrt(dx.square().sum() * dy.square().sum());
  return norm > 0.0 ? (dx * dy).sum() / norm : 0.0;
}

/// The share of `sorted` that is at most `limit`.
double share_below(const std::vector<double>& sorted, double limit) {
  return static_cast<double>(std::upper_bound(sorted.begin(), sorted.end(), limit) - sorted.begin()) /
         static_cast<double>(sorted.size());
}

}  // namespace

std::optional<double> calibrated_scale(const Potential& potential, std::span<const Frame> frames) {
  const CommitteeErrors committee = committee_errors(potential, frames);
  if (committee.errors.size() < k_least_frames) return std::nullopt;
  std::vector<double> ratios;
  for (std::size_t k = 0; k < committee.errors.size(); ++k) ratios.push_back(committee.errors[k] / committee.deviations[k]);
  std::sort(ratios.begin(), ratios.end());
  // One standard deviation of a normal distribution holds 68.3 %, and the quantile does not mind a few frames far outside.
  constexpr double k_one_sigma = 0.683;
  return ratios[static_cast<std::size_t>(k_one_sigma * static_cast<double>(ratios.size() - 1))];
}

std::optional<Calibration> calibration(const Potential& potential, std::span<const Frame> frames) {
  const CommitteeErrors committee = committee_errors(potential, frames);
  const std::size_t n = committee.errors.size();
  if (n < k_least_frames) return std::nullopt;
  // An error lies in the central interval of a normal distribution from this share on.
  std::vector<double> reached;
  double squares = 0.0;
  for (std::size_t k = 0; k < n; ++k) {
    reached.push_back(std::erf(committee.errors[k] / (committee.deviations[k] * std::sqrt(2.0))));
    squares += committee.deviations[k] * committee.deviations[k];
  }
  std::sort(reached.begin(), reached.end());
  Calibration result;
  result.n_frames = n;
  for (int percent = 5; percent < 100; percent += 5) {
    result.expected.push_back(0.01 * percent);
    result.observed.push_back(share_below(reached, 0.01 * percent));
  }
  constexpr int k_steps = 1000;
  for (int k = 0; k < k_steps; ++k) {
    const double share = (k + 0.5) / k_steps;
    result.miscalibration_area += std::abs(share_below(reached, share) - share) / k_steps;
  }
  result.sharpness = std::sqrt(squares / static_cast<double>(n));
  result.spearman = correlation(ranks(committee.deviations), ranks(committee.errors));
  return result;
}

}  // namespace tamiz
