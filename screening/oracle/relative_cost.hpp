#pragma once

#include "tamiz/core/structure/structure.hpp"

namespace tamiz {

/// What a label by DFT with plane waves is expected to cost, in a unit of its own: about (valence electrons)^1.5 for tens of atoms, k-points
/// included, less with symmetry, and more for what is expected to be a metal. `space_group_number` from 1 to 230. Throws what `hall_number_of`
/// does for others.
double relative_cost(const Structure& structure, int space_group_number);

}  // namespace tamiz
