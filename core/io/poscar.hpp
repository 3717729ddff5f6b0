#pragma once

#include <string>
#include <string_view>

#include "tamiz/core/structure/frame.hpp"

namespace tamiz {

/// VASP 5 POSCAR or CONTCAR: scaling factor (negative: the volume), selective dynamics (kept as the array
/// `selective`), Direct or Cartesian. Throws FormatError with name:line; a VASP 4 file without element
/// names is refused.
Frame parse_poscar(std::string_view text, const std::string& name);

/// Atoms are grouped by element in the order of first appearance.
std::string format_poscar(const Frame& frame);

}  // namespace tamiz
