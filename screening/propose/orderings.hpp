#pragma once

#include <string>
#include <vector>

#include "tamiz/screening/propose/oxidation.hpp"
#include "tamiz/screening/propose/prototypes.hpp"

namespace tamiz {

/// An ordered superstructure of a parent prototype.
struct Ordering {
  Structure structure;    ///< not yet scaled to radii
  std::string text;       ///< "A=CaMg2+1 vacancy,X=N2, cell 2.3"
  double charge_error;    ///< local_charge_error [e]
};

/// Ways to spread the cations of a formula over the sites of A and its anions over those of X of `parent`
/// (a formula of two labels), in all its supercells of the size that the formula needs; sites that stay
/// empty only where the parent allows it. Supercells are the Hermite normal forms of Hart and Forcade 2008
/// (doi:10.1103/PhysRevB.77.224115). Of a size with more than 4000 ways, 4000 are drawn, the same in every call.
/// Distinct by their interatomic distances, ordered by local neutrality; the sum of multiples k·formula goes up to
/// `max_atoms` atoms.
std::vector<Ordering> orderings_of(const Prototype& parent, const Composition& formula, const OxidationStates& states,
                                   int max_atoms);

/// Row-style Hermite normal forms of determinant n: every sublattice of index n once.
std::vector<Eigen::Matrix3i> hermite_normal_forms(int n);

}  // namespace tamiz
