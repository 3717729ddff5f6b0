#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tamiz/core/neighbors/bins.hpp"

namespace tamiz::detail {

struct Pair {
  std::int32_t i, j;
  Shift shift;
};

/// Finds the pairs of one structure. Borrows the positions; may be asked from several threads at once.
///
/// The atoms and those of their images that any atom can see lie as points in a grid of bins, in single precision. A row
/// of bins is one stretch of memory, which is read with a radius a little too large; only what lies within rounding of the
/// radius is measured exactly. A grid of one bin, as that of every small structure, has its points in the order of a list.
class PairSearch {
 public:
  /// `radius` [Å]: pairs up to and including this distance. Throws as Bins does.
  PairSearch(const PositionBlock& positions, const Mat3& cell, const Periodicity& periodicity, double radius);

  /// Directed pairs of the centres [begin, end), sorted by (i, j, shift).
  std::vector<Pair> pairs_of(std::size_t begin, std::size_t end) const;

 private:
  struct Hit {
    std::uint32_t point;
    float square;  ///< of the distance [Å²]
  };
  /// What a thread uses again from centre to centre.
  struct Scratch {
    std::vector<Hit> hits;
    std::size_t n_hits = 0;
    std::vector<Pair> pairs;
    std::vector<std::uint64_t> order;
  };

  Vec3 wrapped(std::size_t atom) const;
  Vec3 translation_of(const Shift& crossed) const;
  void measure_atoms(double radius);
  void place_points(double radius);
  void place_sorted(double radius);
  void place_in_bins(double radius);
  void place_point(std::int32_t atom, const Vec3& point, const Shift& crossed, double radius);
  void find_near_points(std::size_t i, Scratch& scratch) const;
  void find_near_points(std::size_t begin, std::size_t end, const std::array<float, 3>& center, Scratch& scratch) const;
  void append_pairs(std::int32_t i, const Scratch& scratch, std::vector<Pair>& pairs) const;
  bool is_pair(std::int32_t i, std::int32_t j, const Shift& shift) const;
  static void sort_pairs(std::span<Pair> pairs, Scratch& scratch);

  PositionBlock positions_;
  Mat3 cell_;
  Periodicity periodicity_;
  double radius_squared_;
  Bins bins_;
  Vec3 low_, high_;                ///< corners of the box around the wrapped atoms [Å]
  float coarse_squared_ = 0.0F;    ///< of the radius and what rounding may add [Å²]
  float fine_squared_ = 0.0F;      ///< of the radius less what rounding may add [Å²]
  std::array<int, 3> margin_;      ///< bins of images on either side of the grid
  std::array<int, 3> counts_;      ///< bins of the grid, those of images included
  bool sorted_ = false;            ///< the points are in the order of a list
  std::vector<std::size_t> first_; ///< of the points of a bin
  std::array<std::vector<float>, 3> coordinates_;  ///< of the points, from low_ on
  std::vector<std::int32_t> atoms_;                ///< that the points are images of
  std::vector<Shift> shifts_;                      ///< cell vectors from the atom as it stands to the point
};

}  // namespace tamiz::detail
