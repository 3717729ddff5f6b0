#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tamiz/core/structure/frame.hpp"

namespace tamiz {

/// Names of the labels in a file; one that is empty is found by its usual names.
struct LabelKeys {
  std::string energy, forces, stress;

  bool any() const { return !energy.empty() || !forces.empty() || !stress.empty(); }
};

/// Extended XYZ. Keys that mean energy (`energy`, `REF_energy`, `dft_energy`), free energy, forces, stress and
/// virial (stress = −virial/V) are found by name and become labels [eV, eV/Å, eV/Å³]; everything else is kept
/// in `info` and `arrays`. Where `keys` names the energy, it is the only one that is taken, without a free energy.
/// Throws FormatError with name:line, also where two names of one label have different values, or a stress and a virial do.
std::vector<Frame> parse_extxyz(std::string_view text, const std::string& name, const LabelKeys& keys = {});

/// Text that reads back to the same bits, also by ASE. In `info` and `arrays`, what is named as a label or a word of the format is written as
/// file_<name>. Throws FormatError for a frame without atoms and for forces and arrays that are not finite.
std::string format_extxyz(std::span<const Frame> frames);

}  // namespace tamiz
