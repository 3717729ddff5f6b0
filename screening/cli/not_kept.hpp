#pragma once

#include <span>

#include "tamiz/core/structure/frame.hpp"

namespace tamiz::cli {

/// Says that atoms which a file holds in place, by selective dynamics of POSCAR or a move_mask of ASE, move all the same.
void warn_of_held_atoms(std::span<const Frame> frames);

}  // namespace tamiz::cli
