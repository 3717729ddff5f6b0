#include "tamiz/screening/properties/gap_errors.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/hash.hpp"

namespace tamiz {
namespace {

/// The part that every group is left out in: groups in the order of their hash take turns, so that parts are alike in number
/// and do not follow the alphabet.
std::map<std::string, int> parts_of(std::span<const GapSample> samples, int folds) {
  if (folds < 2) throw ShapeError(fmt::format("{} folds: a model is tried on what it was not trained on, which takes two at least", folds));
  std::map<std::uint64_t, std::string> by_hash;
  for (const GapSample& sample : samples) by_hash.emplace(hash64(sample.group), sample.group);
  std::map<std::string, int> parts;
  int next = 0;
  for (const auto& [hash, group] : by_hash) parts[group] = next++ % folds;
  return parts;
}

/// Of the guesses that need no model, over the crystals of the training.
struct Guesses {
  double mean = 0.0;    // of the gaps [eV]
  double factor = 0.0;  // least squares from plain gaps to gaps
  bool mostly_gaps = false;

  explicit Guesses(std::span<const GapSample> samples) {
    double n = 0.0, sum = 0.0, product = 0.0, square = 0.0;
    for (const GapSample& sample : samples) {
      if (sample.gap <= 0.0) continue;
      const double plain = sample.plain_gap.value_or(0.0);
      n += 1.0;
      sum += sample.gap;
      product += plain * sample.gap;
      square += plain * plain;
    }
    mean = sum / n;
    factor = square > 0.0 ? product / square : 0.0;
    mostly_gaps = 2.0 * n >= static_cast<double>(samples.size());
  }
};

/// Sums over crystals, and their means at the end.
class Tally {
 public:
  void add(const GapModel& model, const Guesses& guesses, const GapSample& sample) {
    const bool has_gap = sample.gap > 0.0;
    const GapPrediction alone = model.predict(sample.features);
    const double truth = has_gap ? alone.probability : 1.0 - alone.probability;
    sums_.n += 1;
    sums_.right += truth > 0.5 ? 1.0 : 0.0;
    sums_.commoner += has_gap == guesses.mostly_gaps ? 1.0 : 0.0;
    sums_.log_loss -= std::log(std::max(truth, std::numeric_limits<double>::min()));
    if (!has_gap) return;
    sums_.n_gaps += 1;
    sums_.mae += std::abs(alone.gap - sample.gap);
    sums_.mae_of_mean += std::abs(guesses.mean - sample.gap);
    sums_.within_sigma += std::abs(alone.gap - sample.gap) <= alone.sigma ? 1.0 : 0.0;
    if (sample.plain_gap.value_or(0.0) <= 0.0 || !model.knows_plain_gaps()) return;
    sums_.n_plain += 1;
    sums_.mae_with_plain += std::abs(model.predict(sample.features, sample.plain_gap).gap - sample.gap);
    sums_.mae_of_scaled += std::abs(guesses.factor * *sample.plain_gap - sample.gap);
  }

  GapErrors means() const {
    GapErrors errors = sums_;
    const auto divide = [](std::size_t n, std::initializer_list<double*> sums) {
      for (double* sum : sums) *sum = n > 0 ? *sum / static_cast<double>(n) : 0.0;
    };
    divide(errors.n, {&errors.right, &errors.commoner, &errors.log_loss});
    divide(errors.n_gaps, {&errors.mae, &errors.mae_of_mean, &errors.within_sigma});
    divide(errors.n_plain, {&errors.mae_with_plain, &errors.mae_of_scaled});
    return errors;
  }

 private:
  GapErrors sums_;
};

}  // namespace

GapErrors gap_errors(const GapModel& model, std::span<const GapSample> crystals) {
  const Guesses guesses(model.samples());
  Tally tally;
  for (const GapSample& crystal : crystals) tally.add(model, guesses, crystal);
  return tally.means();
}

GapErrors cross_validated(std::span<const GapSample> samples, int folds) {
  const std::map<std::string, int> parts = parts_of(samples, folds);
  Tally tally;
  for (int fold = 0; fold < folds; ++fold) {
    std::vector<GapSample> training, test;
    for (const GapSample& sample : samples) (parts.at(sample.group) == fold ? test : training).push_back(sample);
    if (test.empty()) continue;
    const GapModel model = [&] {
      try {
        return GapModel(training, "", "");
      } catch (const ShapeError& error) {
        throw ShapeError(fmt::format("too few crystals to leave out one part of {}: {}", folds, error.what()));
      }
    }();
    const Guesses guesses(training);
    for (const GapSample& sample : test) tally.add(model, guesses, sample);
  }
  return tally.means();
}

}  // namespace tamiz
