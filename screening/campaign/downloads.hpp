#pragma once

#include <string>

#include "tamiz/core/structure/structure.hpp"

namespace tamiz {

/// CIF of a structure, with its positions as they are (P1).
std::string cif_text(const Structure& structure, const std::string& name);

/// A Python script that calculates the structure with GPAW at a level (canonical JSON of its settings):
/// energy, forces and stress, with the same mesh, cutoff and smearing as the program's own labels. Empty
/// for a level of another code.
std::string gpaw_input(const Structure& structure, const std::string& name, const std::string& settings);

}  // namespace tamiz
