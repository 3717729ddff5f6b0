#include "tamiz/core/structure/identity.hpp"

#include <algorithm>
#include <map>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/structure/symmetry.hpp"

namespace tamiz {
namespace {

constexpr double k_symmetry_tolerance = 0.1;  // [Å]: relaxed with small forces left, not ideal

/// International number; 0 where there is none to compare.
int space_group_number(const Structure& structure) {
  if (!structure.is_periodic()) return 0;
  try {
    return space_group(structure, k_symmetry_tolerance).number;
  } catch (const NumericsError&) {
    return 0;
  }
}

}  // namespace

bool StructureIdentity::same_as(const StructureIdentity& other, double threshold) const {
  const double distance = fingerprint_.distance(other.fingerprint_);
  if (distance >= threshold) return false;
  return distance < k_surely_same || space_group_number(structure_) == space_group_number(other.structure_);
}

std::vector<std::size_t> group_duplicates(std::span<const Structure> structures, double threshold) {
  std::vector<StructureIdentity> identities(structures.begin(), structures.end());
  std::vector<std::size_t> first(structures.size());
  std::map<std::string, std::vector<std::size_t>> kept;  // by formula
  for (std::size_t k = 0; k < structures.size(); ++k) {
    auto& same_formula = kept[identities[k].reduced_composition().formula()];
    const auto found = std::find_if(same_formula.begin(), same_formula.end(), [&](std::size_t other) {
      return identities[k].same_as(identities[other], threshold);
    });
    first[k] = found == same_formula.end() ? k : *found;
    if (first[k] == k) same_formula.push_back(k);
  }
  return first;
}

}  // namespace tamiz
