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

/// How often the ICSD of 2024 reports an element in an oxidation state, as counted by SMACT
/// (datasets/tables/oxidation_states_icsd24_counts.json). States with five reports or fewer are left out.
const std::map<int, int>& reported_oxidation_states(Element element);

/// What an anion may carry: by default only the charge that fills its octet (N3−, O2−), since the others imply bonds
/// between anions that a decorated site cannot have; or any that is reported.
enum class AnionRule { octet, any };

/// Which states an element may have.
struct OxidationRules {
  AnionRule anions = AnionRule::octet;
  std::map<Element, std::vector<int>> given;  ///< states of an element in place of its common ones
};

/// One state per element such that the charges add up to zero and every cation is less electronegative
/// than every anion (the tests of SMACT: Davies et al. 2016, doi:10.1016/j.chempr.2016.09.010).
///
/// Unless `rules.given` says otherwise, a cation has a state that at least 5 % of its positive reports have, and gives
/// away no more than its valence electrons in the main groups and group 12. Anions are the elements of which at least
/// 8 % of the reports are negative (H, C, N, O, F, P, S, Cl, As, Se, Br, Sb, Te, I); metalloids and metals, as in the
/// Zintl phase Mg2Si, only in a composition without any of these. Of several assignments the most often reported is
/// taken, then the one with the largest charges, then the one with the highest charge on the most electronegative
/// cation. Nothing when there is no assignment. One element alone has state 0.
std::optional<OxidationStates> balance_charges(const Composition& composition, const OxidationRules& rules = {});

/// "Ca+2 Mg+2 N-3", from the least to the most electronegative.
std::string oxidation_text(const OxidationStates& states);

/// Reduced, charge-balanced compositions of exactly these elements with at most `max_atoms` atoms, ordered
/// by the number of atoms, then by counts.
std::vector<Composition> balanced_compositions(std::span<const Element> elements, int max_atoms,
                                               const OxidationRules& rules = {});

}  // namespace tamiz
