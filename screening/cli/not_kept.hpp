#pragma once

#include <span>

#include "tamiz/core/structure/frame.hpp"

/// What files say that a relaxation or a simulation does not keep to.
namespace tamiz::cli {

/// Atoms held in place, by selective dynamics of POSCAR or a move_mask of ASE, move all the same.
void warn_of_held_atoms(std::span<const Frame> frames);

/// Atoms have the masses of their elements, whatever isotopes a column `masses` means.
void warn_of_masses(const Frame& frame);

}  // namespace tamiz::cli
