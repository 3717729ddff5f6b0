#pragma once

#include <string>

#include "tamiz/core/structure/structure.hpp"

namespace tamiz {

/// CIF of a structure, with its positions as they are (P1).
std::string cif_text(const Structure& structure, const std::string& name);

/// Class of k-point mesh of a composition at a GPAW level: "anion", "covalent" or "metal", as the worker chooses it.
std::string mesh_class(const Composition& composition);

/// A Python script that calculates the structure with GPAW at a level (canonical JSON of its settings): energy, forces and
/// stress, all as the program's own worker does. `mesh`: class of mesh that a label was calculated on; empty: the one of the
/// level, or of the composition. Empty for a level of another code, one without the Pulay constant of an element, or one whose
/// PAW sets or meshes only the worker can make.
std::string gpaw_input(const Structure& structure, const std::string& name, const std::string& settings,
                       const std::string& mesh = "");

}  // namespace tamiz
