#include "tamiz/core/structure/fingerprint.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include "tamiz/core/neighbors/neighbor_list.hpp"

namespace tamiz {
namespace {

constexpr double k_reference_volume = 20.0;  // [Å³ per atom]
constexpr int k_angle_bins = 36;
constexpr double k_angle_width = 0.12;       // Gaussian broadening of a cosine
constexpr double k_shell_end = 1.7;          // of the mean distance between atoms: where angles fade out
constexpr double k_angle_weight = 0.5;       // share of the angular part in the squared norm
constexpr double k_least_shell = 0.5;        // [Å]: coincident atoms must not divide by an empty shell

/// Cubic switch from 1 at half of `end` to 0 at `end`.
double fade(double distance, double end) {
  const double x = std::clamp((distance - 0.5 * end) / (0.5 * end), 0.0, 1.0);
  return 1.0 - x * x * (3.0 - 2.0 * x);
}

/// Adds a Gaussian of unit area at `x` to a histogram of bins of width `bin` that starts at `low`.
void smear(std::span<double> histogram, double low, double bin, double x, double width, double weight) {
  const int first = std::max(0, static_cast<int>((x - 4.0 * width - low) / bin));
  const int last = std::min(static_cast<int>(histogram.size()) - 1, static_cast<int>((x + 4.0 * width - low) / bin));
  const double norm = weight / (width * std::sqrt(2.0 * std::numbers::pi));
  for (int b = first; b <= last; ++b) {
    const double z = (low + (b + 0.5) * bin - x) / width;
    histogram[static_cast<std::size_t>(b)] += norm * std::exp(-0.5 * z * z);
  }
}

/// Scales `values` to norm `length`; leaves zeros alone.
void normalise(std::span<double> values, double length) {
  double norm = 0.0;
  for (const double value : values) norm += value * value;
  if (norm == 0.0) return;
  for (double& value : values) value *= length / std::sqrt(norm);
}

/// Index of each element of a composition.
std::map<Element, std::size_t> indices_of(const Composition& composition) {
  std::map<Element, std::size_t> indices;
  for (const auto& [element, count] : composition.counts()) indices.emplace(element, indices.size());
  return indices;
}

struct Neighborhood {
  Batch batch;
  State state;
  NeighborList list;
  double volume;    ///< per atom [Å³]
  bool is_crystal;
};

/// Vacuum has no volume to scale by: molecules, wires and slabs keep their distances and are measured against
/// the reference density.
Neighborhood neighborhood_of(const Structure& structure, const FingerprintOptions& options) {
  const bool is_crystal = structure.is_periodic() && structure.size() > 0;
  const double volume = is_crystal ? structure.lattice().volume() / static_cast<double>(structure.size()) : k_reference_volume;
  const bool scale = is_crystal && options.normalise_volume;
  const std::vector<Structure> scaled{structure.with_lattice_scaled(scale ? std::cbrt(k_reference_volume / volume) : 1.0)};
  Neighborhood result{Batch(scaled), State::of(scaled), {}, scale ? k_reference_volume : volume, is_crystal};
  result.list = build_neighbors(result.batch, result.state, {options.cutoff, 0.0});
  return result;
}

/// Per ordered pair of elements, the excess of neighbours over a uniform density, g(r) − 1 smeared; without the
/// uniform density, which would outweigh their few atoms, for molecules.
std::vector<double> radial_part(const Neighborhood& n, const std::map<Element, std::size_t>& indices,
                                const std::vector<double>& counts, const FingerprintOptions& options) {
  const std::size_t n_bins = static_cast<std::size_t>(options.cutoff / options.bin);
  const std::size_t n_elements = indices.size();
  std::vector<double> values(n_elements * n_elements * n_bins, 0.0);
  double n_atoms = 0.0;
  for (const double count : counts) n_atoms += count;
  const auto channel = [&](std::size_t a, std::size_t b) {
    return std::span(values).subspan((a * n_elements + b) * n_bins, n_bins);
  };
  for (std::size_t pair = 0; pair < n.list.n_pairs(); ++pair) {
    const std::size_t a = indices.at(n.batch.species()[static_cast<std::size_t>(n.list.centers()[pair])]);
    const std::size_t b = indices.at(n.batch.species()[static_cast<std::size_t>(n.list.neighbors()[pair])]);
    const double r = n.list.vector(pair, n.batch, n.state).norm();
    const double density = counts[b] / (n_atoms * n.volume);
    const double at = std::max(r, k_least_shell);
    const double shell = 4.0 * std::numbers::pi * at * at * density * counts[a];
    smear(channel(a, b), 0.0, options.bin, r, options.width, fade(r, options.cutoff) / shell);
  }
  for (std::size_t a = 0; a < n_elements; ++a)
    for (std::size_t b = 0; b < n_elements; ++b) {
      auto bins = channel(a, b);
      for (std::size_t k = 0; n.is_crystal && k < n_bins; ++k)
        bins[k] -= fade((static_cast<double>(k) + 0.5) * options.bin, options.cutoff);
      // Weighed by how common the pair is, so that a rare element does not rule the comparison.
      const double weight = std::sqrt(counts[a] * counts[b]) / n_atoms;
      for (double& value : bins) value *= weight;
    }
  return values;
}

/// Per ordered triple (centre; two neighbours), the distribution of cosines within the near shell.
std::vector<double> angular_part(const Neighborhood& n, const std::map<Element, std::size_t>& indices) {
  const double end = k_shell_end * std::cbrt(k_reference_volume);
  const std::size_t n_elements = indices.size();
  std::vector<double> values(n_elements * n_elements * n_elements * k_angle_bins, 0.0);
  struct Near {
    Vec3 direction;
    double weight;
    std::size_t element;
  };
  std::vector<Near> near;
  for (std::size_t i = 0; i < n.batch.n_atoms(); ++i) {
    near.clear();
    for (std::size_t pair = n.list.first()[i]; pair < n.list.first()[i + 1]; ++pair) {
      const Vec3 vector = n.list.vector(pair, n.batch, n.state);
      const double r = vector.norm();
      // Coincident atoms have no direction: theirs fades out, so that a step of 1e-9 Å changes nothing.
      const double weight = fade(r, end) * std::min(1.0, r * r / (k_least_shell * k_least_shell));
      if (weight <= 0.0) continue;
      near.push_back({vector / r, weight, indices.at(n.batch.species()[static_cast<std::size_t>(n.list.neighbors()[pair])])});
    }
    const std::size_t center = indices.at(n.batch.species()[i]);
    for (std::size_t a = 0; a < near.size(); ++a)
      for (std::size_t b = 0; b < near.size(); ++b) {
        if (a == b) continue;
        const std::size_t channel = (center * n_elements + near[a].element) * n_elements + near[b].element;
        smear(std::span(values).subspan(channel * k_angle_bins, k_angle_bins), -1.0, 2.0 / k_angle_bins,
              near[a].direction.dot(near[b].direction), k_angle_width, near[a].weight * near[b].weight);
      }
  }
  return values;
}

}  // namespace

Fingerprint::Fingerprint(const Structure& structure, const FingerprintOptions& options)
    : composition_(structure.composition().reduced()) {
  const Neighborhood neighborhood = neighborhood_of(structure, options);
  const auto indices = indices_of(composition_);
  std::vector<double> counts;
  const Composition composition = structure.composition();
  for (const auto& [element, count] : composition.counts()) counts.push_back(count);
  values_ = radial_part(neighborhood, indices, counts, options);
  normalise(values_, std::sqrt(1.0 - k_angle_weight));
  std::vector<double> angles = angular_part(neighborhood, indices);
  normalise(angles, std::sqrt(k_angle_weight));
  values_.insert(values_.end(), angles.begin(), angles.end());
  normalise(values_, 1.0);  // a pair of atoms has no angles
}

double Fingerprint::distance(const Fingerprint& other) const {
  if (!(composition_ == other.composition_) || values_.size() != other.values_.size()) return 1.0;
  if (values_ == other.values_) return 0.0;  // also of single atoms, whose values are all zero
  double cosine = 0.0;
  for (std::size_t k = 0; k < values_.size(); ++k) cosine += values_[k] * other.values_[k];
  return std::clamp(1.0 - cosine, 0.0, 1.0);
}

}  // namespace tamiz
