#include "tamiz/potentials/engine/training/calibration.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "tamiz/potentials/engine/training/label_weights.hpp"

namespace tamiz {
namespace {

constexpr std::size_t k_least_frames = 5;

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

CommitteeErrors::CommitteeErrors(const Potential& potential, std::span<const Frame> frames) {
  if (potential.capabilities().n_members < 2) return;
  predict_frames(potential, frames, {.forces = false, .members = true},
                 [&](std::size_t k, const PredictedFrame& prediction) { add(frames[k], prediction); });
}

void CommitteeErrors::add(const Frame& frame, const PredictedFrame& prediction) {
  const auto energy = frame.labels.consistent_energy();
  if (!energy || prediction.deviation <= 0.0) return;
  const auto n_atoms = static_cast<double>(frame.structure.size());
  errors_.push_back(std::abs(prediction.energy - *energy) / n_atoms);
  deviations_.push_back(prediction.deviation / n_atoms);
  weights_.push_back(label_weights(frame, "frame").energy);
}

std::optional<double> calibrated_scale(const CommitteeErrors& committee) {
  const std::vector<double>&errors = committee.errors(), &deviations = committee.deviations();
  if (errors.size() < k_least_frames) return std::nullopt;
  std::vector<std::pair<double, double>> ratios;  // and their weights
  double total = 0.0;
  for (std::size_t k = 0; k < errors.size(); ++k) {
    ratios.emplace_back(errors[k] / deviations[k], committee.weights()[k]);
    total += committee.weights()[k];
  }
  if (!(total > 0.0)) return std::nullopt;
  std::sort(ratios.begin(), ratios.end());
  // One standard deviation of a normal distribution holds 68.3 %, and the quantile does not mind a few frames far outside.
  constexpr double k_one_sigma = 0.683;
  // The k-th smallest of n holds k/(n + 1) on average; the last bits of a sum of weights decide nothing.
  const double place = k_one_sigma * total * (1.0 + 1.0 / static_cast<double>(ratios.size())) * (1.0 - 1e-12);
  double reached = 0.0;
  for (const auto& [ratio, weight] : ratios)
    if ((reached += weight) >= place) return ratio;
  return ratios.back().first;
}

std::optional<Calibration> calibration(const CommitteeErrors& committee) {
  const std::vector<double>&errors = committee.errors(), &deviations = committee.deviations();
  const std::size_t n = errors.size();
  if (n < k_least_frames) return std::nullopt;
  // An error lies in the central interval of a normal distribution from this share on.
  std::vector<double> reached;
  double squares = 0.0;
  for (std::size_t k = 0; k < n; ++k) {
    reached.push_back(std::erf(errors[k] / (deviations[k] * std::sqrt(2.0))));
    squares += deviations[k] * deviations[k];
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
  result.spearman = correlation(ranks(deviations), ranks(errors));
  return result;
}

}  // namespace tamiz
