#include "tamiz/potentials/engine/equivariance/coupling_paths.hpp"

#include <cmath>
#include <cstdlib>

namespace tamiz {

std::vector<CouplingPath> coupling_paths(int hidden_l, int l_max, int target_l) {
  std::vector<CouplingPath> paths;
  for (int l3 = 0; l3 <= target_l; ++l3) {
    int slot = 0;
    for (int l1 = 0; l1 <= hidden_l; ++l1)
      for (int l2 = 0; l2 <= l_max; ++l2) {
        if (l3 < std::abs(l1 - l2) || l3 > l1 + l2 || (l1 + l2 + l3) % 2 != 0) continue;
        CouplingPath path{l1, l2, l3, slot++, wigner_3j(l1, l2, l3)};
        for (CouplingEntry& entry : path.entries) entry.value *= std::sqrt(2.0 * l3 + 1.0);
        paths.push_back(std::move(path));
      }
  }
  return paths;
}

std::vector<int> slots_per_l(const std::vector<CouplingPath>& paths, int target_l) {
  std::vector<int> counts(static_cast<std::size_t>(target_l) + 1, 0);
  for (const CouplingPath& path : paths) ++counts[static_cast<std::size_t>(path.l3)];
  return counts;
}

}  // namespace tamiz
