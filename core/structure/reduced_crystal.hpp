#pragma once

#include <vector>

#include "tamiz/core/structure/structure.hpp"

namespace tamiz {

/// A crystal as a periodic set of points on a reduced primitive cell, at 20 Å³ per atom. Unlike spglib's, the cell is
/// found for atoms that are displaced at random, and its points are the means over the copies in a larger cell.
class ReducedCrystal {
 public:
  /// Throws CapabilityError for a structure that is not fully periodic.
  explicit ReducedCrystal(const Structure& structure);

  /// Whether some isometry, proper or not, puts the two onto each other: lattice vectors onto lattice vectors with
  /// less than 5 % of strain (Frobenius norm), atoms onto atoms of the same element within 0.2 Å.
  bool coincides_with(const ReducedCrystal& other) const;


 private:
  Mat3 cell_;  ///< rows, Minkowski-reduced [Å]
  std::vector<Element> species_;
  Coordinates fractional_;
  std::size_t rare_ = 0;  ///< first atom of the element with the fewest atoms
};

}  // namespace tamiz
