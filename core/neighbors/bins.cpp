#include "tamiz/core/neighbors/bins.hpp"

#include <Eigen/Geometry>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <string>

#include "tamiz/core/base/error.hpp"

namespace tamiz::detail {
namespace {

/// Share of the product of the lengths under which three vectors count as lying in one plane.
constexpr double k_flat = 1e-9;
/// More images than this of a cell inside the cutoff are a mistake, not a crystal.
constexpr double k_most_images = 2e7;
/// Bins are this much thicker than the radius, so that rounding cannot push an atom at the cutoff one bin too far.
constexpr double k_margin = 1.0 + 1e-9;
/// Up to as many atoms lie in one bin: to look at them all is faster than to sort what was found.
constexpr std::size_t k_few_atoms = 64;
/// Fractional coordinates beyond this leave too few digits for a distance, and overflow a shift.
constexpr double k_farthest_cell = 1e8;

/// Unit vector orthogonal to the (at most two) independent vectors given.
Vec3 orthogonal_to(const std::vector<Vec3>& vectors) {
  if (vectors.empty()) return Vec3::UnitX();
  if (vectors.size() == 1) return vectors[0].unitOrthogonal();
  return vectors[0].cross(vectors[1]).normalized();
}

}  // namespace

Mat3 completed_cell(const Mat3& cell, const Periodicity& periodicity) {
  std::vector<Vec3> vectors;
  for (int k = 0; k < 3; ++k)
    if (periodicity[static_cast<std::size_t>(k)]) vectors.push_back(cell.row(k));
  Mat3 full = cell;
  for (int k = 0; k < 3; ++k) {
    if (periodicity[static_cast<std::size_t>(k)]) continue;
    const Vec3 vector = orthogonal_to(vectors);
    full.row(k) = vector;
    vectors.push_back(vector);
  }
  const double lengths = full.row(0).norm() * full.row(1).norm() * full.row(2).norm();
  // Written so that NaN fails too.
  if (!(std::abs(full.determinant()) > k_flat * lengths))
    throw NumericsError("a periodic cell needs a volume, got vectors of length " + std::to_string(full.row(0).norm()) +
                        ", " + std::to_string(full.row(1).norm()) + " and " + std::to_string(full.row(2).norm()) +
                        " Å that span none");
  return full;
}

CellFrame::CellFrame(const Mat3& original, const Periodicity& periodicity)
    : cell(completed_cell(original, periodicity)),
      inverse(cell.inverse()),
      heights(inverse.colwise().norm().cwiseInverse().transpose()) {}

Bins::Bins(const PositionBlock& positions, const CellFrame& frame, const Periodicity& periodicity, double radius) {
  const Coordinates fractional = positions * frame.inverse;
  Vec3 low = Vec3::Zero(), extents = Vec3::Ones();
  for (int k = 0; k < 3; ++k) {
    if (positions.rows() == 0) break;
    const double smallest = fractional.col(k).minCoeff(), largest = fractional.col(k).maxCoeff();
    const bool periodic = periodicity[static_cast<std::size_t>(k)];
    if (periodic && !(std::max(-smallest, largest) < k_farthest_cell))
      throw NumericsError("a position lies more than " + std::to_string(k_farthest_cell) + " cells away from its cell");
    if (periodic) continue;
    low[k] = smallest;
    extents[k] = std::max(largest - smallest, 1e-9);
  }
  bins_.resize(static_cast<std::size_t>(positions.rows()));
  images_.resize(bins_.size());
  choose_counts(extents, frame, periodicity, radius * k_margin);
  place_atoms(fractional, low, extents, periodicity);
  sort_atoms();
}

void Bins::choose_counts(const Vec3& extents, const CellFrame& frame, const Periodicity& periodicity, double radius) {
  // A nearly empty box must not cost more than its atoms: about as many bins as atoms, with the same thickness
  // along all directions.
  const Vec3 spans = extents.cwiseProduct(frame.heights);
  const double most_bins = bins_.size() <= k_few_atoms ? 1.0 : 8.0 + 2.0 * static_cast<double>(bins_.size());
  double thickness = radius;
  const auto n_along = [&](int k) { return std::max(1.0, std::floor(spans[k] / thickness)); };
  while (n_along(0) * n_along(1) * n_along(2) > most_bins) thickness *= 1.25;
  double searched = 1.0;
  for (int k = 0; k < 3; ++k) {
    const auto index = static_cast<std::size_t>(k);
    const double reach = std::ceil(radius * n_along(k) / spans[k]);
    searched *= periodicity[index] ? 2.0 * reach + 1.0 : 1.0;
    if (!(searched < k_most_images))
      throw NumericsError("the cell is too flat for a cutoff of " + std::to_string(radius) + " Å: its faces are " +
                          std::to_string(spans[k]) + " Å apart");
    counts_[index] = static_cast<int>(n_along(k));
    reach_[index] = static_cast<int>(periodicity[index] ? reach : std::min(reach, counts_[index] - 1.0));
  }
}

void Bins::place_atoms(const Coordinates& fractional, const Vec3& low, const Vec3& extents,
                       const Periodicity& periodicity) {
  for (std::size_t a = 0; a < bins_.size(); ++a)
    for (int k = 0; k < 3; ++k) {
      const auto index = static_cast<std::size_t>(k);
      const double value = fractional(static_cast<Eigen::Index>(a), k);
      const double image = periodicity[index] ? std::floor(value) : 0.0;
      const double inside = (value - image - low[k]) / extents[k];
      images_[a][index] = static_cast<std::int32_t>(image);
      bins_[a][index] = std::clamp(static_cast<int>(inside * counts_[index]), 0, counts_[index] - 1);
    }
}

void Bins::sort_atoms() {
  const auto total = static_cast<std::size_t>(counts_[0]) * static_cast<std::size_t>(counts_[1]) *
                     static_cast<std::size_t>(counts_[2]);
  first_.assign(total + 1, 0);
  for (const auto& bin : bins_) ++first_[flat(bin) + 1];
  for (std::size_t b = 1; b < first_.size(); ++b) first_[b] += first_[b - 1];
  order_.resize(bins_.size());
  std::vector<std::size_t> next(first_);
  for (std::size_t a = 0; a < bins_.size(); ++a) order_[next[flat(bins_[a])]++] = static_cast<std::int32_t>(a);
}

std::size_t Bins::flat(const std::array<int, 3>& bin) const {
  return (static_cast<std::size_t>(bin[0]) * static_cast<std::size_t>(counts_[1]) + static_cast<std::size_t>(bin[1])) *
             static_cast<std::size_t>(counts_[2]) +
         static_cast<std::size_t>(bin[2]);
}

std::span<const std::int32_t> Bins::atoms(const std::array<int, 3>& bin) const {
  const std::size_t index = flat(bin);
  return std::span(order_).subspan(first_[index], first_[index + 1] - first_[index]);
}

}  // namespace tamiz::detail
