#include "tamiz/potentials/engine/mace/fine_table.hpp"

#include <algorithm>
#include <cmath>

namespace tamiz::mace {
namespace {

constexpr int k_least_intervals = 256, k_most_intervals = 4096;
/// Largest error, as a share of the largest value or slope of the network.
constexpr double k_value_error = 2e-7, k_slope_error = 5e-5;
/// Atoms are never nearer than this [Å]; some transformed distances are singular at zero.
constexpr double k_shortest = 0.4;

/// Values and derivatives of a network at some distances.
class Samples {
 public:
  Samples(const RadialBasis& basis, double contact, const RadialNetwork& network, const std::vector<double>& distances)
      : width_(static_cast<std::size_t>(basis.size())), n_(distances.size()), outputs_(network.n_outputs()) {
    basis_.resize(n_ * width_);
    slopes_.resize(n_ * width_);
    for (std::size_t k = 0; k < n_; ++k)
      basis.at(distances[k], contact, std::span(basis_).subspan(k * width_, width_),
               std::span(slopes_).subspan(k * width_, width_));
    values_ = network.evaluate(n_, basis_.data(), slopes_.data(), scratch_);
  }

  const double* values(std::size_t k) const { return values_ + k * outputs_; }
  const double* derivatives(std::size_t k) const { return values_ + (n_ + k) * outputs_; }
  const double* basis(std::size_t k) const { return basis_.data() + k * width_; }
  const double* slopes(std::size_t k) const { return slopes_.data() + k * width_; }

 private:
  std::size_t width_, n_, outputs_;
  std::vector<double> basis_, slopes_;
  RadialNetwork::Scratch scratch_;
  const double* values_;
};

/// Ends of the intervals; the first is moved off zero, where the basis is not defined.
std::vector<double> ends(const FineGrid& grid) {
  std::vector<double> distances;
  for (int k = 0; k <= grid.intervals; ++k) distances.push_back(grid.spacing() * (k > 0 ? k : 1e-3));
  return distances;
}

/// Largest values and slopes, and the largest errors of what a grid makes of them.
struct GridErrors {
  double value = 0.0, slope = 0.0, value_error = 0.0, slope_error = 0.0;

  /// At the place t, 0 to 1, of every interval.
  void measure(const FineGrid& grid, const RadialBasis& basis, double contact, const RadialNetwork& network,
               const Samples& at_ends, double t) {
    std::vector<double> distances;
    for (int k = 0; k < grid.intervals; ++k) distances.push_back((k + t) * grid.spacing());
    const Samples between(basis, contact, network, distances);
    for (std::size_t k = 0; k < distances.size(); ++k) {
      if (distances[k] < k_shortest) continue;
      const FineGrid::Weights w = grid.at(distances[k]);
      for (std::size_t c = 0; c < network.n_outputs(); ++c) {
        const double begin = at_ends.values(k)[c];
        const std::array<double, 4> rows{at_ends.derivatives(k)[c] * grid.spacing(), begin, at_ends.values(k + 1)[c] - begin,
                                         at_ends.derivatives(k + 1)[c] * grid.spacing()};
        double near = 0.0, rise = 0.0;
        for (std::size_t row = 0; row < 4; ++row) {
          near += w.values[row] * rows[row];
          rise += w.slopes[row] * rows[row];
        }
        value = std::max(value, std::abs(between.values(k)[c]));
        slope = std::max(slope, std::abs(between.derivatives(k)[c]));
        value_error = std::max(value_error, std::abs(near - between.values(k)[c]));
        slope_error = std::max(slope_error, std::abs(rise - between.derivatives(k)[c]));
      }
    }
  }
};

bool is_met(const FineGrid& grid, const RadialBasis& basis, double contact, const RadialNetwork& network) {
  // The error of the cubic goes with t²(1 − t)²: its value is largest in the middle, where its slope is right.
  constexpr double k_worst_value = 0.5, k_worst_slope = 0.21132486540518713;
  const Samples at_ends(basis, contact, network, ends(grid));
  GridErrors errors;
  for (const double t : {k_worst_value, k_worst_slope}) errors.measure(grid, basis, contact, network, at_ends, t);
  return errors.value_error <= k_value_error * errors.value && errors.slope_error <= k_slope_error * errors.slope;
}

}  // namespace

FineGrid::Weights FineGrid::at(double r) const {
  const double h = spacing();
  const int k = std::clamp(static_cast<int>(r / h), 0, intervals - 1);
  const double t = r / h - k, u = 1.0 - t;
  return {k_rows_per_interval * k,
          {t * u * u, 1.0, t * t * (3.0 - 2.0 * t), -t * t * u},
          {u * (1.0 - 3.0 * t) / h, 0.0, 6.0 * t * u / h, t * (3.0 * t - 2.0) / h}};
}

std::array<double, 4> FineGrid::curvatures(double r) const {
  const double h = spacing(), t = r / h - std::clamp(static_cast<int>(r / h), 0, intervals - 1), scale = 1.0 / (h * h);
  return {(6.0 * t - 4.0) * scale, 0.0, (6.0 - 12.0 * t) * scale, (6.0 * t - 2.0) * scale};
}

template <typename Real>
FineTable<Real>::FineTable(const FineGrid& grid, const RadialBasis& basis, double contact, const RadialNetwork& network,
                           const std::vector<std::size_t>& places, std::size_t stride)
    : rows(grid.n_rows() * stride) {
  const Samples samples(basis, contact, network, ends(grid));
  const auto n = static_cast<std::size_t>(grid.intervals);
  for (std::size_t k = 0; k <= n; ++k) {
    Real* row = rows.data() + static_cast<std::size_t>(FineGrid::k_rows_per_interval) * k * stride;
    for (std::size_t c = 0; c < places.size(); ++c) {
      row[places[c]] = static_cast<Real>(samples.derivatives(k)[c] * grid.spacing());
      if (k == n) continue;
      row[stride + places[c]] = static_cast<Real>(samples.values(k)[c]);
      row[2 * stride + places[c]] = static_cast<Real>(samples.values(k + 1)[c] - samples.values(k)[c]);
    }
  }
  if (!network.has_density()) return;
  const auto share = [&](std::size_t k) { return network.density(samples.basis(k), samples.slopes(k)); };
  RadialNetwork::Density here = share(0);
  for (std::size_t k = 0; k < n; ++k) {
    const RadialNetwork::Density next = share(k + 1);
    density.insert(density.end(), {here.slope * grid.spacing(), here.value, next.value - here.value});
    here = next;
  }
  density.push_back(here.slope * grid.spacing());
}

FineGrid fine_grid(double cutoff, const RadialBasis& basis, const std::vector<double>& contacts,
                   const std::vector<const RadialNetwork*>& networks) {
  for (int intervals = k_least_intervals; intervals <= k_most_intervals; intervals *= 2) {
    const FineGrid grid{cutoff, intervals};
    bool met = true;
    for (const double contact : contacts)
      for (const RadialNetwork* network : networks) met = met && is_met(grid, basis, contact, *network);
    if (met) return grid;
  }
  return {cutoff, 0};
}

template struct FineTable<float>;
template struct FineTable<double>;

}  // namespace tamiz::mace
