#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tamiz/core/structure/structure.hpp"
#include "tamiz/screening/propose/oxidation.hpp"

namespace tamiz {

/// A neighbour of an atom.
struct Contact {
  std::size_t atom;
  double distance;  ///< [Å]
};

/// Neighbours of each atom within `cutoff` [Å], nearest first.
std::vector<std::vector<Contact>> contacts_of(const Structure& structure, double cutoff);

/// Scales the cell so that cation–anion contacts have, on average over the first shells of the cations, the
/// sum of the radii at their coordination, the volume is 0.7 to 1.5 of `guess_volume`, and (this first of all)
/// no contact is below 0.85 of its sum. One element alone: nearest
/// neighbours at twice the covalent radius. Nothing when no cation has an anion near it.
std::optional<Structure> scaled_to_radii(const Structure& structure, const OxidationStates& states);

/// What is too close, in words: two atoms below 0.6 of the sum of their covalent radii. Nothing when all is well.
std::optional<std::string> overlap(const Structure& structure);

/// Least distances of pairs of elements [Å], both orders.
using MinimumDistances = std::map<std::pair<Element, Element>, double>;

/// What random crystals must keep: cations and anions 0.8 of their contact, anions 0.75 of the sum of their
/// radii, cations 0.75 of the sum of covalent radii.
MinimumDistances minimum_distances(const OxidationStates& states);

/// True when a pair of atoms, over all images, is nearer than its least distance.
bool too_close(const Structure& structure, const MinimumDistances& least);

/// Mean over the anions of |Σ q_cation / coordination − |q_anion|| [e]: Pauling's rule of local neutrality
/// (Pauling 1929, doi:10.1021/ja01379a006); 0 where every anion is just compensated by its neighbours.
double local_charge_error(const Structure& structure, const OxidationStates& states);

}  // namespace tamiz
