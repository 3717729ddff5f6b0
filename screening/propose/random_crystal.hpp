#pragma once

#include <cstdint>
#include <optional>

#include "tamiz/core/base/philox.hpp"
#include "tamiz/core/structure/symmetry.hpp"
#include "tamiz/screening/propose/oxidation.hpp"

namespace tamiz {

/// A random crystal with its symmetry.
struct RandomCrystal {
  Structure structure;  ///< primitive cell
  SpaceGroup found;     ///< by spglib
  int asked = 1;        ///< space group that was drawn; `found` has at least its operations
};

/// One attempt at a crystal of `formula` with up to `max_atoms` atoms in the primitive cell: number of
/// formula units, space group (2..230), a lattice of its system at the volume of `guess_volume` ±20 %, and
/// for each element orbits on random Wyckoff positions that fill its count exactly. Nothing when the orbits
/// do not fit, atoms come too close, or spglib does not find the operations again. A pure function of (seed, formula, attempt): Philox stream
/// `streams::k_crystals`, id from formula and attempt.
std::optional<RandomCrystal> random_crystal(const Composition& formula, const OxidationStates& states, int max_atoms,
                                            std::uint64_t seed, std::uint32_t attempt);

/// The point moved onto a special position: constraints x = R·x + t (with the lattice translation that
/// brings the image nearest) of up to `n_constraints` randomly drawn operations, as long as they can be met
/// together; least squares, so the point moves no further than needed.
Vec3 special_position(const Vec3& point, const std::vector<SymmetryOperation>& operations, int n_constraints,
                      Philox& random);

/// Random conventional cell of the crystal system of a space group (hexagonal axes for trigonal groups,
/// unique axis b for monoclinic ones) with this volume [Å³].
Lattice random_lattice(int space_group, double volume, Philox& random);

}  // namespace tamiz
