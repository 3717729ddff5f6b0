#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tamiz/core/structure/fingerprint.hpp"
#include "tamiz/core/structure/reduced_crystal.hpp"

namespace tamiz {

/// Distance of fingerprints under which molecules, wires and slabs count as one.
inline constexpr double k_same_structure = 0.01;
/// Distance under which two crystals are near enough for their atoms to be compared: copies strained by 1 % with atoms
/// displaced at random by 0.02 Å stay below 0.02 (docs/conventions.md).
inline constexpr double k_near_structure = 0.04;

/// Decides whether two structures count as one. Orderings of one lattice and stackings of one layer have nearly the same
/// distances and angles; where the fingerprints of two crystals are near, their atoms must lie on each other as well. Molecules have as many
/// atoms, crystals, wires and slabs may be given in supercells.
class StructureIdentity {
 public:
  explicit StructureIdentity(const Structure& structure);

  bool same_as(const StructureIdentity& other) const;
  const Composition& reduced_composition() const { return fingerprint_.reduced_composition(); }

 private:
  Fingerprint fingerprint_;
  Periodicity periodicity_;
  std::size_t n_atoms_;
  std::optional<ReducedCrystal> crystal_;  ///< missing where there are directions without periodicity
};

/// Structures with names, found again by their geometry.
class StructureIndex {
 public:
  void add(std::string name, const Structure& structure);
  /// Name of the first one added that is the same; empty where there is none.
  std::string find(const Structure& structure) const;

 private:
  std::map<std::string, std::vector<std::pair<std::string, StructureIdentity>>> by_formula_;
};

/// Index of the first structure that each one equals: result[k] == k for the ones to keep.
std::vector<std::size_t> group_duplicates(std::span<const Structure> structures);

}  // namespace tamiz
