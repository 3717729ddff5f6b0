#include "tamiz/screening/campaign/hulls.hpp"

#include <algorithm>
#include <cmath>

#include "tamiz/core/base/error.hpp"
#include "tamiz/screening/campaign/correction.hpp"

namespace tamiz {
namespace {

const Element k_nitrogen{7};

ConvexHull hull_of(std::span<const CompetingPhase> phases, std::span<const ModelEnergy> energies, int member) {
  if (phases.size() != energies.size()) throw ShapeError("one energy per competing phase is needed");
  std::vector<Phase> points;
  for (std::size_t k = 0; k < phases.size(); ++k) {
    const double energy = member < 0 ? energies[k].mean : energies[k].members[static_cast<std::size_t>(member)];
    points.push_back({phases[k].id, phases[k].structure.composition(), energy});
  }
  return ConvexHull(std::move(points));
}

std::vector<Phase> with_correction(std::vector<Phase> phases) {
  for (Phase& phase : phases) phase.energy_per_atom += mp2020_correction().per_atom_of(phase.composition);
  return phases;
}

}  // namespace

CommitteeHulls::CommitteeHulls(std::span<const CompetingPhase> phases, std::span<const ModelEnergy> energies)
    : mean_(hull_of(phases, energies, -1)) {
  const std::size_t n_members = energies.front().members.size();
  for (std::size_t k = 0; k < n_members; ++k) members_.push_back(hull_of(phases, energies, static_cast<int>(k)));
}

ModelAssessment CommitteeHulls::assess(const Composition& composition, const ModelEnergy& energy,
                                       std::span<const std::string> same_as) const {
  ModelAssessment result;
  result.formation_energy = mean_.formation_energy(composition, energy.mean);
  if (members_.empty()) {
    result.e_hull = mean_.decompose_without(composition, energy.mean, same_as).energy_above_hull;
    return result;
  }
  for (std::size_t k = 0; k < members_.size(); ++k)
    result.members.push_back(members_[k].decompose_without(composition, energy.members[k], same_as).energy_above_hull);
  const double n = static_cast<double>(result.members.size());
  for (const double value : result.members) result.e_hull += value / n;
  for (const double value : result.members) result.sigma += std::pow(value - result.e_hull, 2) / std::max(1.0, n - 1);
  result.sigma = std::sqrt(result.sigma);
  return result;
}

DftHull::DftHull(std::vector<Phase> phases) : plain_(phases), corrected_(with_correction(std::move(phases))) {}

DftAssessment DftHull::assess(const Composition& composition, double energy_per_atom,
                              std::span<const std::string> same_as) const {
  DftAssessment result;
  const double corrected_energy = energy_per_atom + mp2020_correction().per_atom_of(composition);
  result.formation_energy = plain_.formation_energy(composition, energy_per_atom);
  const HullResult on_hull = plain_.decompose(composition, energy_per_atom);
  result.e_hull = std::max(0.0, on_hull.energy_above_hull);
  result.e_hull_corrected = std::max(0.0, corrected_.decompose(composition, corrected_energy).energy_above_hull);
  const HullResult others = plain_.decompose_without(composition, energy_per_atom, same_as);
  result.distance_below_others = others.energy_above_hull;
  for (const DecompositionProduct& product : others.products)
    result.products.emplace_back(plain_.phases()[product.phase].id, product.atomic_fraction);
  if (composition.count(k_nitrogen) > 0)
    result.nitrogen = plain_.stability_range(composition, energy_per_atom, k_nitrogen, same_as);
  return result;
}

}  // namespace tamiz
