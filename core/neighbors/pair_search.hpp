#pragma once

#include <cstdint>
#include <vector>

#include "tamiz/core/neighbors/bins.hpp"

namespace tamiz::detail {

struct Pair {
  std::int32_t i, j;
  Shift shift;
};

/// Finds the pairs of one structure. Borrows the positions; may be asked from several threads at once.
class PairSearch {
 public:
  /// `radius` [Å]: pairs up to and including this distance. Throws as Bins does.
  PairSearch(const PositionBlock& positions, const Mat3& cell, const Periodicity& periodicity, double radius);

  /// Directed pairs of the centres [begin, end), sorted by (i, j, shift).
  std::vector<Pair> pairs_of(std::size_t begin, std::size_t end) const;

 private:
  void search_around(std::int32_t i, std::vector<Pair>& found) const;
  void search_bin(std::int32_t i, const std::array<int, 3>& step, std::vector<Pair>& found) const;

  PositionBlock positions_;
  Mat3 cell_;
  Periodicity periodicity_;
  double radius_squared_;
  Bins bins_;
};

}  // namespace tamiz::detail
