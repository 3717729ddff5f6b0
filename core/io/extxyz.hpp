#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tamiz/core/structure/frame.hpp"

namespace tamiz {

/// Extended XYZ. Keys that mean energy (`energy`, `REF_energy`, `dft_energy`), free energy, forces, stress and
/// virial (stress = −virial/V) are found by name and become labels [eV, eV/Å, eV/Å³]; everything else is kept
/// in `info` and `arrays`. Throws FormatError with name:line.
std::vector<Frame> parse_extxyz(std::string_view text, const std::string& name);

/// Text that reads back to the same bits, also by ASE.
std::string format_extxyz(std::span<const Frame> frames);

}  // namespace tamiz
