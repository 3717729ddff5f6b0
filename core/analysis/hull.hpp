#pragma once

#include <span>
#include <string>
#include <vector>

#include "tamiz/core/structure/composition.hpp"

namespace tamiz {

/// A phase on the hull: composition (of any number of atoms) and energy per atom [eV/atom].
struct Phase {
  std::string id;
  Composition composition;
  double energy_per_atom;
};

struct DecompositionProduct {
  std::size_t phase;       ///< index into ConvexHull::phases()
  double atomic_fraction;  ///< share of atoms that goes into this phase
};

struct HullResult {
  double energy_above_hull;  ///< [eV/atom]; negative for a composition below the hull of the phases
  /// Their shares sum to 1 and their compositions to that of the compound. A phase of the same composition
  /// on the hull stands alone; among assemblages of equal energy the choice is deterministic.
  std::vector<DecompositionProduct> products;
};

struct ChemicalPotentialRange {
  double low, high;  ///< [eV] relative to the elemental phase, low <= high; both 0 where not stable
  bool stable;
};

/// Lower convex hull of energy over composition, for any number of elements, by linear programming (no
/// facets are stored). All energies must be of one level.
class ConvexHull {
 public:
  /// Throws ShapeError when an element of a phase has no elemental phase or a phase no atoms,
  /// NumericsError for an energy that is not finite.
  explicit ConvexHull(std::vector<Phase> phases);

  std::span<const Phase> phases() const { return phases_; }
  std::span<const Element> elements() const { return elements_; }

  /// Energy above the hull of `composition` at `energy_per_atom`. Throws SpeciesError for an element
  /// outside the hull.
  HullResult decompose(const Composition& composition, double energy_per_atom) const;
  /// The same, with the phases named in `excluded` left out (for the distance below the others). The lowest
  /// elemental phase of an element stays when all of that element's are named: without it there is no hull.
  HullResult decompose_without(const Composition& composition, double energy_per_atom,
                               std::span<const std::string> excluded) const;
  /// Formation energy from the lowest elemental phases [eV/atom].
  double formation_energy(const Composition& composition, double energy_per_atom) const;
  /// Range of Δμ of `element` (relative to its elemental phase) in which the compound coexists with no
  /// more stable assemblage: intersection of Σ n_i Δμ_i = ΔH_f with Σ n_i Δμ_i ≤ ΔH_f of every phase. Not
  /// stable when it lies more than 1e-9 eV/atom above the hull. Phases named in `excluded`, those that are the compound
  /// itself, do not count. Throws SpeciesError for an element that is not in the compound.
  ChemicalPotentialRange stability_range(const Composition& composition, double energy_per_atom, Element element,
                                         std::span<const std::string> excluded = {}) const;

 private:
  std::vector<Element> elements_;
  std::vector<double> references_;  // energies of their lowest elemental phases [eV/atom]
  std::vector<Phase> phases_;
};

}  // namespace tamiz
