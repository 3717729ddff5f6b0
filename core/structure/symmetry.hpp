#pragma once

#include <string>
#include <vector>

#include "tamiz/core/structure/structure.hpp"

namespace tamiz {

struct SpaceGroup {
  int number = 1;              ///< International Tables number
  std::string symbol = "P1";   ///< international short symbol
  int hall_number = 1;
  std::vector<int> equivalent; ///< first symmetry-equivalent atom of each atom
};

/// Space group by spglib at `tolerance` [Å]. Throws NumericsError when spglib finds none (overlapping
/// atoms), CapabilityError for a structure that is not fully periodic.
SpaceGroup space_group(const Structure& structure, double tolerance = 0.01);

/// Niggli-reduced primitive cell, same orientation convention as spglib.
Structure primitive_cell(const Structure& structure, double tolerance = 0.01);
/// Conventional standardised cell.
Structure conventional_cell(const Structure& structure, double tolerance = 0.01);
/// Positions and lattice moved onto exact symmetry at `tolerance`; the cell keeps its atoms' number.
Structure symmetrized(const Structure& structure, double tolerance = 0.01);

/// One symmetry operation in fractional coordinates: x' = rotation·x + translation.
struct SymmetryOperation {
  Eigen::Matrix3i rotation;
  Vec3 translation;
};

/// Operations of Hall setting 1..530 from spglib's table.
std::vector<SymmetryOperation> operations_of_hall(int hall_number);
/// First Hall setting (standard choice) of space group 1..230.
int hall_number_of(int space_group_number);

}  // namespace tamiz
