#pragma once

#include <array>
#include <functional>

#include "tamiz/core/simulation/potential.hpp"

namespace tamiz {

/// Second derivatives of the energy of a crystal by the positions of its atoms.
struct ForceConstants {
  Structure cell;
  std::array<int, 3> copies;  ///< of the cell in the supercell, whose atoms are in the order of Structure::supercell
  /// (3·n_atoms, 3·n_supercell_atoms) [eV/Å²]: row 3i + α is −dF/dx_{iα} for atom i of the cell at the supercell's origin.
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> values;
  double largest_force = 0.0;  ///< on an atom at rest [eV/Å]; where it is not small, these are not those of a minimum
};

struct ForceConstantOptions {
  double displacement = 0.01;           ///< [Å] of central differences; not used where the potential has second derivatives
  std::size_t atoms_per_batch = 2048;   ///< that are evaluated together; one supercell is never split
};

/// Copies along the periodic directions with which opposite faces of the supercell are at least `length` [Å] apart; 1 along others.
/// Throws UnitError unless `length` is above 0 and asks for a thousand copies at most.
std::array<int, 3> copies_for(const Structure& cell, double length);

/// Force constants in a supercell: products of the potential's second derivatives where it has them, else central differences of its
/// forces. `progress(done, of)` is called after each batch of displacements, and may throw to end the work.
/// Throws as Potential::evaluate, ShapeError for a cell without atoms and for copies along an open direction, UnitError for a displacement that is not above 0.
ForceConstants force_constants(const Potential& potential, const Structure& cell, std::array<int, 3> copies,
                               const ForceConstantOptions& options = {},
                               const std::function<void(std::size_t done, std::size_t of)>& progress = {});

}  // namespace tamiz
