#pragma once

#include <span>
#include <vector>

#include "tamiz/core/structure/fingerprint.hpp"

namespace tamiz {

/// Distance of fingerprints under which two structures may count as one (chosen on rattled copies against
/// distinct polymorphs; see docs/conventions.md).
inline constexpr double k_same_structure = 0.01;
/// Distance under which they do without a look at their symmetry.
inline constexpr double k_surely_same = 0.001;

/// Decides whether two structures count as one. Orderings of one lattice and stackings of one layer have nearly the
/// same distances and angles; between `k_surely_same` and the threshold their space groups, found within 0.1 Å, decide.
class StructureIdentity {
 public:
  explicit StructureIdentity(Structure structure) : structure_(std::move(structure)), fingerprint_(structure_) {}

  bool same_as(const StructureIdentity& other, double threshold = k_same_structure) const;
  const Composition& reduced_composition() const { return fingerprint_.reduced_composition(); }

 private:
  Structure structure_;
  Fingerprint fingerprint_;
};

/// Index of the first structure that each one equals: result[k] == k for the ones to keep.
std::vector<std::size_t> group_duplicates(std::span<const Structure> structures,
                                          double threshold = k_same_structure);

}  // namespace tamiz
