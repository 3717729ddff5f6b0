#pragma once

#include "tamiz/core/simulation/potential.hpp"

namespace tamiz {

/// Second derivatives of the energy of a crystal by its positions and the strain of its cell, (3n + 9, 3n + 9), symmetric. The first 3n coordinates
/// are positions [Å], atom by atom, which the strain carries along: x → x·exp(ε); the others are the nine components of ε, row by row,
/// of which only the symmetric part costs energy. Positions by the potential's second derivatives where it has them, else by differences.
/// Throws as Potential::evaluate, CapabilityError for a structure that is not periodic in all directions.
Eigen::MatrixXd curvature(const Potential& potential, const Structure& crystal);

}  // namespace tamiz
