#pragma once

#include <optional>

#include "tamiz/core/structure/composition.hpp"
#include "tamiz/screening/propose/oxidation.hpp"

namespace tamiz {

/// An atom with its charge and number of nearest neighbours of the other charge.
struct Ion {
  Element element;
  int charge = 0;
  int coordination = 0;
};

/// Shannon's ionic radius at the nearest tabulated coordination (Shannon 1976,
/// doi:10.1107/S0567739476001551; datasets/tables/shannon_radii.csv) [Å]. An anion tabulated at one
/// coordination only (N3−) grows by 0.05 Å with each further neighbour. Nothing where the table has no such
/// charge.
std::optional<double> shannon_radius(const Ion& ion);

/// Expected distance of a cation and an anion [Å]: the sum of Shannon radii, or of covalent radii where one
/// of the two has none (Si4−), longer by Pauling's rule beyond four neighbours.
double expected_contact(const Ion& a, const Ion& b);

/// Volume of a crystal of this composition [Å³]: spheres of the ions' radii, packed as the known nitrides,
/// oxides and silicides are on average.
double guess_volume(const Composition& composition, const OxidationStates& states);

}  // namespace tamiz
