#include "tamiz/core/neighbors/pair_search.hpp"

#include <algorithm>
#include <tuple>

namespace tamiz::detail {
namespace {

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
      bins_(positions, CellFrame(cell, periodicity), periodicity, radius) {}

std::vector<Pair> PairSearch::pairs_of(std::size_t begin, std::size_t end) const {
  std::vector<Pair> pairs, of_atom;
  for (std::size_t i = begin; i < end; ++i) {
    of_atom.clear();
    search_around(static_cast<std::int32_t>(i), of_atom);
    std::sort(of_atom.begin(), of_atom.end(),
              [](const Pair& a, const Pair& b) { return std::tie(a.j, a.shift) < std::tie(b.j, b.shift); });
    pairs.insert(pairs.end(), of_atom.begin(), of_atom.end());
  }
  return pairs;
}

void PairSearch::search_around(std::int32_t i, std::vector<Pair>& found) const {
  const std::array<int, 3>& reach = bins_.reach();
  std::array<int, 3> step;
  for (step[0] = -reach[0]; step[0] <= reach[0]; ++step[0])
    for (step[1] = -reach[1]; step[1] <= reach[1]; ++step[1])
      for (step[2] = -reach[2]; step[2] <= reach[2]; ++step[2]) search_bin(i, step, found);
}

void PairSearch::search_bin(std::int32_t i, const std::array<int, 3>& step, std::vector<Pair>& found) const {
  std::array<int, 3> bin = bins_.bin_of(static_cast<std::size_t>(i));
  Shift crossed{0, 0, 0};
  for (std::size_t k = 0; k < 3; ++k) {
    bin[k] += step[k];
    if (periodicity_[k]) std::tie(crossed[k], bin[k]) = floor_divide(bin[k], bins_.counts()[k]);
    else if (bin[k] < 0 || bin[k] >= bins_.counts()[k]) return;
  }
  const Shift& image_i = bins_.image(static_cast<std::size_t>(i));
  for (const std::int32_t j : bins_.atoms(bin)) {
    const Shift& image_j = bins_.image(static_cast<std::size_t>(j));
    Shift shift;
    for (std::size_t k = 0; k < 3; ++k) shift[k] = crossed[k] + image_i[k] - image_j[k];
    if (i == j && shift == Shift{0, 0, 0}) continue;
    // The same operations in the same order as NeighborList::vector, so that both agree to the last bit.
    Vec3 d = positions_.row(j) - positions_.row(i);
    for (int k = 0; k < 3; ++k) d += shift[static_cast<std::size_t>(k)] * cell_.row(k).transpose();
    if (d.squaredNorm() <= radius_squared_) found.push_back({i, j, shift});
  }
}

}  // namespace tamiz::detail
