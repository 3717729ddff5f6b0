#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "tamiz/core/analysis/hull.hpp"
#include "tamiz/screening/campaign/competing.hpp"

namespace tamiz {

/// Energy of one structure by the model: mean and each member [eV/atom].
struct ModelEnergy {
  double mean = 0.0;
  std::vector<double> members;
};

/// Energy above the hull as the model sees it.
struct ModelAssessment {
  double formation_energy = 0.0;  ///< [eV/atom]
  double e_hull = 0.0;            ///< [eV/atom], mean over members
  double sigma = 0.0;             ///< standard deviation over members [eV/atom]
  std::vector<double> members;    ///< energy above the hull of each member on its own hull [eV/atom]
};

/// One hull of model energies for each committee member, so that errors which a member makes for a
/// compound and for its competitors alike cancel; and the hull of the means for formation energies.
class CommitteeHulls {
 public:
  /// `energies[k]` belongs to `phases[k]`.
  CommitteeHulls(std::span<const CompetingPhase> phases, std::span<const ModelEnergy> energies);

  /// `same_as`: ids of phases that are this very compound, which do not compete with it. Throws SpeciesError when the composition has an
  /// element outside the hulls.
  ModelAssessment assess(const Composition& composition, const ModelEnergy& energy, std::span<const std::string> same_as = {}) const;

 private:
  std::vector<ConvexHull> members_;
  ConvexHull mean_;
};

/// Distance of an energy to the DFT hull, without and with the anion correction, and what it means.
struct DftAssessment {
  double formation_energy = 0.0;
  double e_hull = 0.0;
  double e_hull_corrected = 0.0;
  double distance_below_others = 0.0;  ///< e_hull when the phases equal to it are left out; negative when stable
  std::vector<std::pair<std::string, double>> products;  ///< phase id and share of atoms
  ChemicalPotentialRange nitrogen{0.0, 0.0, false};      ///< Δμ_N [eV]
};

/// Hull of DFT energies: competing phases and what this campaign confirmed.
class DftHull {
 public:
  explicit DftHull(std::vector<Phase> phases);
  /// `same_as`: ids of phases that are this very compound.
  DftAssessment assess(const Composition& composition, double energy_per_atom,
                       std::span<const std::string> same_as) const;
  const ConvexHull& hull() const { return plain_; }

 private:
  ConvexHull plain_;
  ConvexHull corrected_;
};

}  // namespace tamiz
