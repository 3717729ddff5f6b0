#pragma once

#include <vector>

#include "tamiz/potentials/engine/equivariance/wigner.hpp"

namespace tamiz {

/// One path l1 ⊗ l2 → l3 of the tensor product between the features of a neighbour (l1) and the
/// spherical harmonics of an edge (l2). Entries hold √(2 l3 + 1) times the 3j symbol, the component
/// normalisation.
struct CouplingPath {
  int l1, l2, l3;
  int slot;  ///< number of this path among those with the same l3
  std::vector<CouplingEntry> entries;
};

/// All paths from hidden features of l1 <= hidden_l with edges of l2 <= l_max to l3 <= target_l, natural
/// parity (l1 + l2 + l3 even), sorted by (l3, l1, l2): the order in which mace-torch stores radial
/// weights.
std::vector<CouplingPath> coupling_paths(int hidden_l, int l_max, int target_l);

/// Number of paths that end in each l3 = 0..target_l.
std::vector<int> slots_per_l(const std::vector<CouplingPath>& paths, int target_l);

}  // namespace tamiz
