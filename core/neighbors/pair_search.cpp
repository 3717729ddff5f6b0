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

/// Whether a point that is `outside` [Å] the box around the atoms along each axis is farther from all of them than the
/// radius and what rounding may add.
bool is_out_of_sight(const Vec3& outside, double radius) {
  const double farthest = radius * (1.0 + 1e-6);
  return outside.squaredNorm() > farthest * farthest;
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
  const double coarse = radius + 1e-6 * largest, fine = std::max(0.0, radius - 1e-6 * largest);
  coarse_squared_ = static_cast<float>(coarse * coarse);
  fine_squared_ = static_cast<float>(fine * fine);
}

void PairSearch::place_points(double radius) {
  for (std::size_t k = 0; k < 3; ++k) {
    margin_[k] = periodicity_[k] ? bins_.reach()[k] : 0;
    counts_[k] = bins_.counts()[k] + 2 * margin_[k];
  }
  const auto n_atoms = static_cast<std::size_t>(positions_.rows());
  for (auto& coordinates : coordinates_) coordinates.reserve(n_atoms);
  atoms_.reserve(n_atoms);
  shifts_.reserve(n_atoms);
  first_.push_back(0);
  sorted_ = bins_.counts() == std::array<int, 3>{1, 1, 1};
  if (sorted_)
    place_sorted(radius);
  else
    place_in_bins(radius);
}

/// All points as one stretch in the order of the atoms, and of the shifts of an atom.
void PairSearch::place_sorted(double radius) {
  std::vector<std::pair<Shift, Vec3>> images;
  const Vec3 size = positions_.rows() == 0 ? Vec3(Vec3::Zero()) : Vec3(high_ - low_);
  Shift crossed;
  for (crossed[0] = -margin_[0]; crossed[0] <= margin_[0]; ++crossed[0])
    for (crossed[1] = -margin_[1]; crossed[1] <= margin_[1]; ++crossed[1])
      for (crossed[2] = -margin_[2]; crossed[2] <= margin_[2]; ++crossed[2]) {
        const Vec3 translation = translation_of(crossed);
        const Vec3 gap = (translation.cwiseAbs() - size).cwiseMax(0.0);
        if (!is_out_of_sight(gap, radius)) images.emplace_back(crossed, translation);
      }
  for (std::int32_t atom = 0; atom < static_cast<std::int32_t>(positions_.rows()); ++atom) {
    const Vec3 position = wrapped(static_cast<std::size_t>(atom));
    for (const auto& [shift, translation] : images) place_point(atom, position + translation, shift, radius);
  }
  margin_ = {0, 0, 0};
  counts_ = {1, 1, 1};
  first_.push_back(atoms_.size());
}

void PairSearch::place_in_bins(double radius) {
  first_.reserve(static_cast<std::size_t>(counts_[0]) * static_cast<std::size_t>(counts_[1]) *
                     static_cast<std::size_t>(counts_[2]) + 1);
  std::array<int, 3> place, bin;
  Shift crossed{0, 0, 0};
  for (place[0] = 0; place[0] < counts_[0]; ++place[0])
    for (place[1] = 0; place[1] < counts_[1]; ++place[1])
      for (place[2] = 0; place[2] < counts_[2]; ++place[2]) {
        for (std::size_t k = 0; k < 3; ++k)
          std::tie(crossed[k], bin[k]) = floor_divide(place[k] - margin_[k], bins_.counts()[k]);
        const Vec3 translation = translation_of(crossed);
        for (const std::int32_t atom : bins_.atoms(bin))
          place_point(atom, wrapped(static_cast<std::size_t>(atom)) + translation, crossed, radius);
        first_.push_back(atoms_.size());
      }
}

Vec3 PairSearch::translation_of(const Shift& crossed) const {
  Vec3 translation = Vec3::Zero();
  for (int k = 0; k < 3; ++k) translation += crossed[static_cast<std::size_t>(k)] * cell_.row(k).transpose();
  return translation;
}

/// An image of an atom, unless no atom can see it.
void PairSearch::place_point(std::int32_t atom, const Vec3& point, const Shift& crossed, double radius) {
  if (is_out_of_sight((low_ - point).cwiseMax(point - high_).cwiseMax(0.0), radius)) return;
  for (int k = 0; k < 3; ++k) coordinates_[static_cast<std::size_t>(k)].push_back(static_cast<float>(point[k] - low_[k]));
  atoms_.push_back(atom);
  const Shift& image = bins_.image(static_cast<std::size_t>(atom));
  shifts_.push_back({crossed[0] - image[0], crossed[1] - image[1], crossed[2] - image[2]});
}

std::vector<Pair> PairSearch::pairs_of(std::size_t begin, std::size_t end) const {
  std::vector<Pair> pairs;
  Scratch scratch;
  for (std::size_t i = begin; i < end; ++i) {
    find_near_points(i, scratch);
    if (i == begin) pairs.reserve((end - begin) * (scratch.n_hits + 2));  // as many about every centre, often
    const std::size_t first = pairs.size();
    append_pairs(static_cast<std::int32_t>(i), scratch, pairs);
    if (!sorted_) sort_pairs(std::span(pairs).subspan(first), scratch);
  }
  return pairs;
}

void PairSearch::find_near_points(std::size_t i, Scratch& scratch) const {
  scratch.n_hits = 0;
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
  if (scratch.hits.size() < scratch.n_hits + (end - begin)) scratch.hits.resize(2 * (scratch.n_hits + (end - begin)));
  std::array<float, k_stretch> squares;
  for (; begin < end; begin += k_stretch) {
    const std::size_t n = std::min(k_stretch, end - begin);
    const float *x = coordinates_[0].data() + begin, *y = coordinates_[1].data() + begin, *z = coordinates_[2].data() + begin;
    for (std::size_t p = 0; p < n; ++p) {
      const float dx = x[p] - center[0], dy = y[p] - center[1], dz = z[p] - center[2];
      squares[p] = dx * dx + dy * dy + dz * dz;
    }
    Hit* hits = scratch.hits.data();
    std::size_t n_hits = scratch.n_hits;
    for (std::size_t p = 0; p < n; ++p) {  // written and then kept or not: a branch would be guessed wrong half the time
      hits[n_hits] = {static_cast<std::uint32_t>(begin + p), squares[p]};
      n_hits += squares[p] <= coarse_squared_ ? 1 : 0;
    }
    scratch.n_hits = n_hits;
  }
}

/// Those of the hits that are pairs, in the order of the hits.
void PairSearch::append_pairs(std::int32_t i, const Scratch& scratch, std::vector<Pair>& pairs) const {
  const Shift image = bins_.image(static_cast<std::size_t>(i));
  for (const Hit& hit : std::span(scratch.hits).first(scratch.n_hits)) {
    const Shift& point = shifts_[hit.point];
    const Shift shift{point[0] + image[0], point[1] + image[1], point[2] + image[2]};
    const std::int32_t j = atoms_[hit.point];
    if (i == j && shift == Shift{0, 0, 0}) continue;
    if (hit.square > fine_squared_ && !is_pair(i, j, shift)) continue;
    pairs.push_back({i, j, shift});
  }
}

/// By the same operations in the same order as NeighborList::vector, so that both agree to the last bit.
bool PairSearch::is_pair(std::int32_t i, std::int32_t j, const Shift& shift) const {
  Vec3 d = positions_.row(j) - positions_.row(i);
  for (int k = 0; k < 3; ++k) d += shift[static_cast<std::size_t>(k)] * cell_.row(k).transpose();
  return d.squaredNorm() <= radius_squared_;
}

/// By the neighbour and then by the place among the pairs: images of one atom are found in the order of their shifts.
void PairSearch::sort_pairs(std::span<Pair> pairs, Scratch& scratch) {
  scratch.order.clear();
  for (std::size_t k = 0; k < pairs.size(); ++k)
    scratch.order.push_back(static_cast<std::uint64_t>(pairs[k].j) << 32 | k);
  std::sort(scratch.order.begin(), scratch.order.end());
  scratch.pairs.assign(pairs.begin(), pairs.end());
  for (std::size_t k = 0; k < pairs.size(); ++k) pairs[k] = scratch.pairs[static_cast<std::uint32_t>(scratch.order[k])];
}

}  // namespace tamiz::detail
