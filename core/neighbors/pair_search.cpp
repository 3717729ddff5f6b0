#include "tamiz/core/neighbors/pair_search.hpp"

#include <algorithm>
#include <limits>
#include <tuple>
#include <utility>

namespace tamiz::detail {
namespace {

/// Points that are looked at before the near ones are picked.
constexpr std::size_t k_stretch = 64;

/// Floor division of `value` by n > 0: quotient, and remainder in [0, n).
std::pair<int, int> floor_divide(int value, int n) {
  const int remainder = ((value % n) + n) % n;
  return {(value - remainder) / n, remainder};
}

}  // namespace

PairSearch::PairSearch(const PositionBlock& positions, const Mat3& cell, const Periodicity& periodicity, double radius)
    : positions_(positions),
      cell_(cell),
      periodicity_(periodicity),
      radius_squared_(radius * radius),
      bins_(positions, CellFrame(cell, periodicity), periodicity, radius) {
  measure_atoms(radius);
  place_points(radius);
}

Vec3 PairSearch::wrapped(std::size_t atom) const {
  const Shift& image = bins_.image(atom);
  Vec3 position = positions_.row(static_cast<Eigen::Index>(atom));
  for (int k = 0; k < 3; ++k)
    if (image[static_cast<std::size_t>(k)] != 0) position -= image[static_cast<std::size_t>(k)] * cell_.row(k).transpose();
  return position;
}

void PairSearch::measure_atoms(double radius) {
  low_ = Vec3::Constant(std::numeric_limits<double>::infinity());
  high_ = -low_;
  for (std::size_t a = 0; a < static_cast<std::size_t>(positions_.rows()); ++a) {
    const Vec3 position = wrapped(a);
    low_ = low_.cwiseMin(position);
    high_ = high_.cwiseMax(position);
  }
  // A coordinate is off by half a unit in its last place, 6e-8 of it, and a distance by less than four times that.
  const double largest = positions_.rows() == 0 ? radius : (high_ - low_).maxCoeff() + 2.0 * radius;
  const double coarse = radius + 1e-6 * largest;
  coarse_squared_ = static_cast<float>(coarse * coarse);
}

void PairSearch::place_points(double radius) {
  for (std::size_t k = 0; k < 3; ++k) {
    margin_[k] = periodicity_[k] ? bins_.reach()[k] : 0;
    counts_[k] = bins_.counts()[k] + 2 * margin_[k];
  }
  first_.reserve(static_cast<std::size_t>(counts_[0]) * static_cast<std::size_t>(counts_[1]) *
                     static_cast<std::size_t>(counts_[2]) + 1);
  for (auto& coordinates : coordinates_) coordinates.reserve(static_cast<std::size_t>(positions_.rows()));
  atoms_.reserve(static_cast<std::size_t>(positions_.rows()));
  crossed_.reserve(static_cast<std::size_t>(positions_.rows()));
  first_.push_back(0);
  std::array<int, 3> place, bin;
  Shift crossed{0, 0, 0};
  for (place[0] = 0; place[0] < counts_[0]; ++place[0])
    for (place[1] = 0; place[1] < counts_[1]; ++place[1])
      for (place[2] = 0; place[2] < counts_[2]; ++place[2]) {
        for (std::size_t k = 0; k < 3; ++k)
          std::tie(crossed[k], bin[k]) = floor_divide(place[k] - margin_[k], bins_.counts()[k]);
        place_points_of(bin, crossed, radius);
        first_.push_back(atoms_.size());
      }
}

/// The atoms of a bin moved by cell vectors, without images that no atom can see.
void PairSearch::place_points_of(const std::array<int, 3>& bin, const Shift& crossed, double radius) {
  Vec3 translation = Vec3::Zero();
  for (int k = 0; k < 3; ++k) translation += crossed[static_cast<std::size_t>(k)] * cell_.row(k).transpose();
  const double farthest = radius * (1.0 + 1e-6);
  for (const std::int32_t atom : bins_.atoms(bin)) {
    const Vec3 point = wrapped(static_cast<std::size_t>(atom)) + translation;
    const Vec3 outside = (low_ - point).cwiseMax(point - high_).cwiseMax(0.0);
    if (outside.squaredNorm() > farthest * farthest) continue;
    for (int k = 0; k < 3; ++k) coordinates_[static_cast<std::size_t>(k)].push_back(static_cast<float>(point[k] - low_[k]));
    atoms_.push_back(atom);
    crossed_.push_back(crossed);
  }
}

std::vector<Pair> PairSearch::pairs_of(std::size_t begin, std::size_t end) const {
  std::vector<Pair> pairs;
  Scratch scratch;
  for (std::size_t i = begin; i < end; ++i) {
    find_near_points(i, scratch);
    measure_pairs(static_cast<std::int32_t>(i), scratch);
    if (i == begin) pairs.reserve((end - begin) * (scratch.order.size() + 2));  // as many about every centre, often
    for (const std::uint64_t entry : scratch.order) pairs.push_back(scratch.pairs[static_cast<std::uint32_t>(entry)]);
  }
  return pairs;
}

void PairSearch::find_near_points(std::size_t i, Scratch& scratch) const {
  scratch.hits.clear();
  const Vec3 position = wrapped(i) - low_;
  const std::array<float, 3> center{static_cast<float>(position[0]), static_cast<float>(position[1]),
                                    static_cast<float>(position[2])};
  std::array<int, 3> from, to;
  for (std::size_t k = 0; k < 3; ++k) {
    const int own = bins_.bin_of(i)[k] + margin_[k];
    from[k] = std::max(0, own - bins_.reach()[k]);
    to[k] = std::min(counts_[k] - 1, own + bins_.reach()[k]);
  }
  for (int a = from[0]; a <= to[0]; ++a)
    for (int b = from[1]; b <= to[1]; ++b) {
      const std::size_t row = (static_cast<std::size_t>(a) * static_cast<std::size_t>(counts_[1]) + static_cast<std::size_t>(b)) *
                              static_cast<std::size_t>(counts_[2]);
      find_near_points(first_[row + static_cast<std::size_t>(from[2])], first_[row + static_cast<std::size_t>(to[2]) + 1],
                       center, scratch);
    }
}

void PairSearch::find_near_points(std::size_t begin, std::size_t end, const std::array<float, 3>& center,
                                  Scratch& scratch) const {
  std::array<float, k_stretch> squares;
  for (; begin < end; begin += k_stretch) {
    const std::size_t n = std::min(k_stretch, end - begin);
    const float *x = coordinates_[0].data() + begin, *y = coordinates_[1].data() + begin, *z = coordinates_[2].data() + begin;
    for (std::size_t p = 0; p < n; ++p) {
      const float dx = x[p] - center[0], dy = y[p] - center[1], dz = z[p] - center[2];
      squares[p] = dx * dx + dy * dy + dz * dz;
    }
    std::size_t n_hits = scratch.hits.size();
    scratch.hits.resize(n_hits + n);
    for (std::size_t p = 0; p < n; ++p) {  // written and then kept or not: a branch would be guessed wrong half the time
      scratch.hits[n_hits] = static_cast<std::int32_t>(begin + p);
      n_hits += squares[p] <= coarse_squared_ ? 1 : 0;
    }
    scratch.hits.resize(n_hits);
  }
}

/// The pairs among the hits, and the order in which they stand in a list. Images of one atom are found in the order of
/// their shifts, so that sorting by the atom and by the place among the hits is enough.
void PairSearch::measure_pairs(std::int32_t i, Scratch& scratch) const {
  scratch.pairs.clear();
  scratch.order.clear();
  const Shift& image_i = bins_.image(static_cast<std::size_t>(i));
  for (const std::int32_t point : scratch.hits) {
    const auto p = static_cast<std::size_t>(point);
    const std::int32_t j = atoms_[p];
    const Shift& image_j = bins_.image(static_cast<std::size_t>(j));
    Shift shift;
    for (std::size_t k = 0; k < 3; ++k) shift[k] = crossed_[p][k] + image_i[k] - image_j[k];
    if (i == j && shift == Shift{0, 0, 0}) continue;
    // The same operations in the same order as NeighborList::vector, so that both agree to the last bit.
    Vec3 d = positions_.row(j) - positions_.row(i);
    for (int k = 0; k < 3; ++k) d += shift[static_cast<std::size_t>(k)] * cell_.row(k).transpose();
    if (!(d.squaredNorm() <= radius_squared_)) continue;
    scratch.order.push_back(static_cast<std::uint64_t>(j) << 32 | scratch.pairs.size());
    scratch.pairs.push_back({i, j, shift});
  }
  std::sort(scratch.order.begin(), scratch.order.end());
}

}  // namespace tamiz::detail
