#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/screening/properties/gaussian_process.hpp"

namespace tamiz {

/// One row per structure: means and standard deviations, over the atoms of its cell, of what a potential knows of their
/// surroundings. Independent of the choice of cell, of the order of the atoms, and of rotations and translations.
/// Throws CapabilityError where the potential offers no descriptors, SpeciesError for elements it does not know.
PointRows crystal_features(const Potential& potential, std::span<const Structure> structures);

/// Hash of the file of a potential, by which what was made of its descriptors knows it. Throws FileError.
std::string potential_hash(const std::filesystem::path& model);

}  // namespace tamiz
