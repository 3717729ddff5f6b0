#pragma once

#include <vector>

#include "tamiz/core/structure/structure.hpp"

namespace tamiz {

struct FingerprintOptions {
  double cutoff = 10.0;  ///< [Å], after scaling to the reference density
  double width = 0.06;   ///< Gaussian broadening of distances [Å]
  double bin = 0.05;     ///< [Å]
  /// Scale crystals to 20 Å³ per atom before comparing, so that a guessed and a relaxed volume agree. Structures
  /// with vacuum (molecules, wires, slabs) are never scaled.
  bool normalise_volume = true;
};

/// Per pair of elements, smeared distribution of neighbour distances (Oganov and Valle 2009,
/// doi:10.1063/1.3079326), with a species-resolved angular part; unchanged by rotation, reflection,
/// choice of cell, supercell, origin and order of atoms. Finite for coincident atoms too.
class Fingerprint {
 public:
  Fingerprint(const Structure& structure, const FingerprintOptions& options = {});

  /// Cosine distance in [0, 1]; 1 for different reduced compositions.
  double distance(const Fingerprint& other) const;
  const Composition& reduced_composition() const { return composition_; }

 private:
  Composition composition_;
  std::vector<double> values_;
};

}  // namespace tamiz
