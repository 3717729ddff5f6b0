#include "tamiz/screening/properties/gap_model.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "tamiz/core/base/error.hpp"
#include "tamiz/screening/properties/grid_search.hpp"

namespace tamiz {
namespace {

using Eigen::RowVectorXd;
using Eigen::VectorXd;

constexpr std::size_t k_least_samples = 8, k_least_gaps = 4, k_least_plain = 8;
constexpr double k_within = 0.683;  // share of a normal distribution within σ

double normal_share(double z) { return 0.5 * std::erfc(-z / std::sqrt(2.0)); }

double squashed(double mean, double variance, double alpha, double beta) {
  return normal_share((alpha * mean + beta) / std::sqrt(1.0 + alpha * alpha * variance));
}

/// Factor for standard deviations so that 68.3 % of the errors lie within them.
double calibrated_scale(const Posterior& posterior, const VectorXd& targets) {
  const Eigen::ArrayXd z = (targets - posterior.mean).array().abs() / posterior.variance.array().sqrt();
  std::vector<double> sorted;
  for (const double each : z)
    if (std::isfinite(each)) sorted.push_back(each);
  if (sorted.empty()) return 1.0;  // nothing varies
  const auto at = std::min(sorted.size() - 1, static_cast<std::size_t>(k_within * static_cast<double>(sorted.size())));
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(at), sorted.end());
  return sorted[at];
}

PointRows ones(Eigen::Index n) { return PointRows::Ones(n, 1); }

PointRows trend_of(const VectorXd& plain) {
  PointRows trend(plain.size(), 2);
  trend << VectorXd::Ones(plain.size()), plain;
  return trend;
}

GaussianProcess process_of(PointRows points, PointRows trends, VectorXd targets, const GaussianProcess::Widths* widths) {
  return widths ? GaussianProcess(std::move(points), std::move(trends), std::move(targets), *widths)
                : GaussianProcess(std::move(points), std::move(trends), std::move(targets));
}

std::vector<std::string> groups_of(std::span<const GapSample> samples) {
  std::vector<std::string> groups;
  for (const GapSample& sample : samples) groups.push_back(sample.group);
  return groups;
}

void check_samples(std::span<const GapSample> samples) {
  std::size_t n_gaps = 0;
  for (const GapSample& sample : samples) {
    if (sample.features.size() != samples.front().features.size())
      throw ShapeError("expected as many features of every crystal, got " + std::to_string(sample.features.size()) + " and " +
                       std::to_string(samples.front().features.size()));
    if (!sample.features.allFinite() || !std::isfinite(sample.gap) || sample.gap < 0.0)
      throw NumericsError("features or gap of a crystal of " + sample.group + " are not finite, or the gap is negative");
    n_gaps += sample.gap > 0.0 ? 1 : 0;
  }
  if (samples.size() < k_least_samples || n_gaps < k_least_gaps)
    throw ShapeError("expected at least " + std::to_string(k_least_samples) + " crystals of known gap, and " +
                     std::to_string(k_least_gaps) + " that have one, got " + std::to_string(samples.size()) + " and " +
                     std::to_string(n_gaps));
}

}  // namespace

GapModel::GapModel(std::span<const GapSample> samples, std::string potential, std::string level)
    : GapModel({samples.begin(), samples.end()}, std::move(potential), std::move(level), nullptr) {}

GapModel::GapModel(std::vector<GapSample> samples, std::string potential, std::string level, const Parameters* known)
    : samples_(std::move(samples)), potential_(std::move(potential)), level_(std::move(level)) {
  check_samples(samples_);
  const auto n = static_cast<Eigen::Index>(samples_.size());
  PointRows features(n, samples_.front().features.size());
  for (Eigen::Index k = 0; k < n; ++k) features.row(k) = samples_[static_cast<std::size_t>(k)].features;
  scale_ = FeatureScale(features);
  if (known) parameters_ = *known;
  const PointRows points = scale_.apply(features);
  fit_kind(points, known);
  fit_structure(points, known);
  fit_plain(points, known);
}

void GapModel::fit_kind(const PointRows& points, const Parameters* known) {
  VectorXd kinds(points.rows());
  for (Eigen::Index k = 0; k < kinds.size(); ++k) kinds[k] = samples_[static_cast<std::size_t>(k)].gap > 0.0 ? 1.0 : -1.0;
  const double n_gaps = (kinds.array() > 0.0).count();
  base_rate_ = (n_gaps + 1.0) / (static_cast<double>(kinds.size()) + 2.0);
  if (n_gaps == static_cast<double>(kinds.size())) return;
  kind_ = process_of(points, ones(points.rows()), kinds, known ? &*parameters_.kind : nullptr);
  if (known) return;
  parameters_.kind = kind_->widths();
  const Posterior left_out = kind_->leave_out(groups_of(samples_));
  const auto log_loss = [&](double log_alpha, double beta) {
    double sum = 0.0;
    for (Eigen::Index k = 0; k < kinds.size(); ++k) {
      const double p = squashed(left_out.mean[k], left_out.variance[k], std::exp(log_alpha), beta);
      sum -= std::log(std::max(kinds[k] > 0.0 ? p : 1.0 - p, std::numeric_limits<double>::min()));
    }
    return sum;
  };
  // Without a bound on α, kinds that a plane parts would be predicted with certainty.
  const Eigen::Array2d best = smallest_on_grid(log_loss, {{std::log(0.1), -3.0}, {std::log(10.0), 3.0}}, 15, 4);
  parameters_.alpha = std::exp(best[0]);
  parameters_.beta = best[1];
}

void GapModel::fit_structure(const PointRows& points, const Parameters* known) {
  std::vector<Eigen::Index> rows;
  std::vector<double> gaps;
  std::vector<std::string> groups;
  for (std::size_t k = 0; k < samples_.size(); ++k)
    if (samples_[k].gap > 0.0) {
      rows.push_back(static_cast<Eigen::Index>(k));
      gaps.push_back(samples_[k].gap);
      groups.push_back(samples_[k].group);
    }
  const VectorXd targets = VectorXd::Map(gaps.data(), static_cast<Eigen::Index>(gaps.size()));
  from_structure_ = process_of(points(rows, Eigen::all), ones(targets.size()), targets, known ? &*parameters_.structure : nullptr);
  if (known) return;
  parameters_.structure = from_structure_->widths();
  parameters_.structure_scale = calibrated_scale(from_structure_->leave_out(groups), targets);
}

void GapModel::fit_plain(const PointRows& points, const Parameters* known) {
  std::vector<Eigen::Index> rows;
  std::vector<double> gaps, plain_gaps;
  std::vector<std::string> groups;
  for (std::size_t k = 0; k < samples_.size(); ++k)
    if (samples_[k].gap > 0.0 && samples_[k].plain_gap.value_or(0.0) > 0.0) {
      rows.push_back(static_cast<Eigen::Index>(k));
      gaps.push_back(samples_[k].gap);
      plain_gaps.push_back(*samples_[k].plain_gap);
      groups.push_back(samples_[k].group);
    }
  if (rows.size() < k_least_plain) return;
  const auto n = static_cast<Eigen::Index>(gaps.size());
  const VectorXd targets = VectorXd::Map(gaps.data(), n);
  with_plain_ = process_of(points(rows, Eigen::all), trend_of(VectorXd::Map(plain_gaps.data(), n)), targets,
                           known ? &*parameters_.plain : nullptr);
  if (known) return;
  parameters_.plain = with_plain_->widths();
  parameters_.plain_scale = calibrated_scale(with_plain_->leave_out(groups), targets);
}

GapPrediction GapModel::predict(const RowVectorXd& features, std::optional<double> plain_gap) const {
  const PointRows point = scale_.apply(features);
  const bool has_plain = plain_gap.value_or(0.0) > 0.0;
  GapPrediction prediction;
  prediction.probability = base_rate_;
  if (kind_) {
    const Posterior kind = kind_->predict(point, ones(1));
    prediction.probability = squashed(kind.mean[0], kind.variance[0], parameters_.alpha, parameters_.beta);
  }
  if (has_plain) prediction.probability = 1.0;
  const bool use_plain = has_plain && with_plain_;
  const Posterior gap = use_plain ? with_plain_->predict(point, trend_of(VectorXd::Constant(1, *plain_gap)))
                                  : from_structure_->predict(point, ones(1));
  prediction.gap = std::max(0.0, gap.mean[0]);
  prediction.sigma = (use_plain ? parameters_.plain_scale : parameters_.structure_scale) * std::sqrt(gap.variance[0]);
  return prediction;
}

}  // namespace tamiz
