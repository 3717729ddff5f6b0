#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "tamiz/core/base/math.hpp"
#include "tamiz/core/structure/structure.hpp"

namespace tamiz::detail {

/// (n, 3) positions of one structure inside the flat array of a batch.
using PositionBlock = Eigen::Map<const Coordinates>;
using Shift = std::array<std::int32_t, 3>;

/// The cell with its vectors along open directions replaced by unit vectors orthogonal to all others, so that
/// fractional coordinates exist for slabs, wires and molecules, also where the file gave no vector there.
/// Throws NumericsError when the periodic vectors span no volume.
Mat3 completed_cell(const Mat3& cell, const Periodicity& periodicity);

/// A completed cell with what is derived from it.
struct CellFrame {
  CellFrame(const Mat3& cell, const Periodicity& periodicity);

  Mat3 cell;
  Mat3 inverse;  ///< fractional = cartesian · inverse
  Vec3 heights;  ///< between opposite faces [Å]
};

/// Atoms of one structure sorted into bins at least `radius` thick where the cell allows it (a small cell is one
/// bin). Atoms are wrapped into the cell to find their bin; the image that does so is kept, so that shifts can
/// refer to the positions as they stand.
class Bins {
 public:
  /// Throws NumericsError where the cell is so flat, or a position so far away, that images cannot be counted.
  Bins(const PositionBlock& positions, const CellFrame& frame, const Periodicity& periodicity, double radius);

  const std::array<int, 3>& counts() const { return counts_; }
  /// How many bins away along each direction a neighbour within `radius` can be.
  const std::array<int, 3>& reach() const { return reach_; }
  const std::array<int, 3>& bin_of(std::size_t atom) const { return bins_[atom]; }
  /// Image that brings the atom into the cell: position = wrapped + image·cell.
  const Shift& image(std::size_t atom) const { return images_[atom]; }
  std::span<const std::int32_t> atoms(const std::array<int, 3>& bin) const;

 private:
  void choose_counts(const Vec3& extents, const CellFrame& frame, const Periodicity& periodicity, double radius);
  void place_atoms(const Coordinates& fractional, const Vec3& low, const Vec3& extents, const Periodicity& periodicity);
  void sort_atoms();
  std::size_t flat(const std::array<int, 3>& bin) const;

  std::array<int, 3> counts_{1, 1, 1}, reach_{0, 0, 0};
  std::vector<std::array<int, 3>> bins_;
  std::vector<Shift> images_;
  std::vector<std::size_t> first_;
  std::vector<std::int32_t> order_;
};

}  // namespace tamiz::detail
