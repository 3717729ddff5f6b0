#pragma once

#include <string>

#include "tamiz/core/structure/structure.hpp"

namespace tamiz {

/// CIF of a structure, with its positions as they are (P1).
std::string cif_text(const Structure& structure, const std::string& name);

/// A Python script that calculates the structure with GPAW at a level (canonical JSON of its settings): energy, forces and
/// stress, all as the program's own worker does, but for a level with `kpoint_length`, whose mesh is then as fine or finer.
/// `mesh`: class of mesh that a label was calculated on; empty: the one of the level, or of the composition. Empty for a
/// level of another code or without the Pulay constant of an element.
std::string gpaw_input(const Structure& structure, const std::string& name, const std::string& settings,
                       const std::string& mesh = "");

}  // namespace tamiz
