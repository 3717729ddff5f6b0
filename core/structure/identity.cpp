#include "tamiz/core/structure/identity.hpp"

#include <algorithm>

namespace tamiz {

StructureIdentity::StructureIdentity(const Structure& structure)
    : fingerprint_(structure), periodicity_(structure.periodicity()), n_atoms_(structure.size()) {
  if (structure.is_periodic() && structure.size() > 0) crystal_.emplace(structure);
}

bool StructureIdentity::same_as(const StructureIdentity& other) const {
  if (crystal_.has_value() != other.crystal_.has_value()) return false;
  const bool is_molecule = periodicity_ == k_molecule;
  if (!crystal_ && (periodicity_ != other.periodicity_ || (is_molecule && n_atoms_ != other.n_atoms_))) return false;
  const double distance = fingerprint_.distance(other.fingerprint_);
  if (!crystal_) return distance < k_same_structure;
  return distance < k_near_structure && crystal_->coincides_with(*other.crystal_);
}

void StructureIndex::add(std::string name, const Structure& structure) {
  by_formula_[structure.composition().reduced().formula()].emplace_back(std::move(name), StructureIdentity(structure));
}

std::string StructureIndex::find(const Structure& structure) const {
  const auto same_formula = by_formula_.find(structure.composition().reduced().formula());
  if (same_formula == by_formula_.end()) return "";
  const StructureIdentity identity(structure);
  for (const auto& [name, other] : same_formula->second)
    if (other.same_as(identity)) return name;
  return "";
}

std::vector<std::size_t> group_duplicates(std::span<const Structure> structures) {
  std::vector<StructureIdentity> identities(structures.begin(), structures.end());
  std::vector<std::size_t> first(structures.size());
  std::map<std::string, std::vector<std::size_t>> kept;  // by formula
  for (std::size_t k = 0; k < structures.size(); ++k) {
    auto& same_formula = kept[identities[k].reduced_composition().formula()];
    const auto found = std::find_if(same_formula.begin(), same_formula.end(), [&](std::size_t other) {
      return identities[k].same_as(identities[other]);
    });
    first[k] = found == same_formula.end() ? k : *found;
    if (first[k] == k) same_formula.push_back(k);
  }
  return first;
}

}  // namespace tamiz
