#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tamiz/core/structure/composition.hpp"

namespace tamiz {

/// Oxidation state of each element.
using OxidationStates = std::map<Element, int>;

/// States that occur in crystals: more than five reports in the ICSD of 2024, as filtered by SMACT
/// (datasets/tables/oxidation_states_icsd24_filtered.txt). Empty where there are none.
std::span<const int> known_oxidation_states(Element element);

/// What an anion may carry: the known states, or by default only the one that fills its octet (N3−, Si4−,
/// O2−), since the others imply bonds between anions that a decorated site cannot have.
enum class AnionRule { octet, any };

/// One state per element such that the charges add up to zero and every cation is less electronegative
/// than every anion (the tests of SMACT: Davies et al. 2016, doi:10.1016/j.chempr.2016.09.010). Of several,
/// the one with the largest charges, then with the highest charge on the most electronegative cation.
/// Cations of the main groups and of group 12 give away no more than their valence electrons. Nothing when
/// there is no assignment. One element alone has state 0.
std::optional<OxidationStates> balance_charges(const Composition& composition, AnionRule rule = AnionRule::octet);

/// "Ca+2 Mg+2 N-3", from the least to the most electronegative.
std::string oxidation_text(const OxidationStates& states);

/// Reduced, charge-balanced compositions of exactly these elements with at most `max_atoms` atoms, ordered
/// by the number of atoms, then by counts.
std::vector<Composition> balanced_compositions(std::span<const Element> elements, int max_atoms,
                                               AnionRule rule = AnionRule::octet);

}  // namespace tamiz
