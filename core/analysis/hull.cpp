#include "tamiz/core/analysis/hull.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "tamiz/core/analysis/simplex.hpp"
#include "tamiz/core/base/error.hpp"

namespace tamiz {
namespace {

using detail::LinearProgramResult;

constexpr double k_energy_tolerance = 1e-9;     // [eV/atom], below any energy that a code or model resolves
constexpr double k_fraction_tolerance = 1e-10;  // below the share of one atom in any cell

/// Atomic fractions of a composition over `elements`; throws SpeciesError for an element outside them.
Eigen::VectorXd fractions_of(const Composition& composition, std::span<const Element> elements) {
  if (composition.counts().empty()) throw ShapeError("expected a composition with at least one atom");
  Eigen::VectorXd fractions = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(elements.size()));
  for (const auto& [element, count] : composition.counts()) {
    const auto found = std::find(elements.begin(), elements.end(), element);
    if (found == elements.end())
      throw SpeciesError("element " + std::string(element.symbol()) + " is not in the hull");
    fractions[found - elements.begin()] = static_cast<double>(count) / composition.n_atoms();
  }
  return fractions;
}

bool is_elemental(const Phase& phase) { return phase.composition.counts().size() == 1; }

/// Index of the lowest elemental phase of `element`, the first one among equals; -1 where there is none.
std::ptrdiff_t lowest_elemental(std::span<const Phase> phases, Element element) {
  std::ptrdiff_t best = -1;
  for (std::size_t k = 0; k < phases.size(); ++k) {
    if (!is_elemental(phases[k]) || phases[k].composition.counts().begin()->first != element) continue;
    if (best < 0 || phases[k].energy_per_atom < phases[static_cast<std::size_t>(best)].energy_per_atom)
      best = static_cast<std::ptrdiff_t>(k);
  }
  return best;
}

/// The phases that can form from the elements of one composition: those with no other element. Energies
/// are formation energies, so that no precision is lost where total energies are thousands of eV.
struct Subsystem {
  std::vector<Element> elements;
  std::vector<std::size_t> phases;   // index into all phases, one per column
  Eigen::MatrixXd fractions;         // (n_elements, n_phases)
  Eigen::VectorXd energies;          // formation energies [eV/atom]
  std::vector<Eigen::Index> pure;    // column of the lowest elemental phase of each element

  bool contains(const Composition& composition) const {
    return std::all_of(composition.counts().begin(), composition.counts().end(), [&](const auto& entry) {
      return std::find(elements.begin(), elements.end(), entry.first) != elements.end();
    });
  }
};

/// `excluded` names phases to leave out.
Subsystem subsystem_of(const ConvexHull& hull, const Composition& composition, const std::set<std::string>& excluded) {
  Subsystem system;
  for (const auto& [element, count] : composition.counts()) system.elements.push_back(element);
  fractions_of(composition, hull.elements());  // throws for an element outside the hull
  const std::span<const Phase> all = hull.phases();
  for (std::size_t k = 0; k < all.size(); ++k)
    if (system.contains(all[k].composition) && !excluded.contains(all[k].id)) system.phases.push_back(k);
  for (const Element element : system.elements) {
    const bool has_pure = std::any_of(system.phases.begin(), system.phases.end(), [&](std::size_t k) {
      return is_elemental(all[k]) && all[k].composition.counts().begin()->first == element;
    });
    if (!has_pure) system.phases.push_back(static_cast<std::size_t>(lowest_elemental(all, element)));
  }
  const auto n = static_cast<Eigen::Index>(system.phases.size());
  system.fractions.resize(static_cast<Eigen::Index>(system.elements.size()), n);
  system.energies.resize(n);
  std::vector<Phase> chosen;
  for (Eigen::Index k = 0; k < n; ++k) {
    const Phase& phase = chosen.emplace_back(all[system.phases[static_cast<std::size_t>(k)]]);
    system.fractions.col(k) = fractions_of(phase.composition, system.elements);
    system.energies[k] = hull.formation_energy(phase.composition, phase.energy_per_atom);
  }
  for (const Element element : system.elements) system.pure.push_back(lowest_elemental(chosen, element));
  return system;
}

/// A single phase of the same composition that lies on the hull stands for itself; the simplex method
/// might as well name an assemblage of equal energy.
std::ptrdiff_t same_composition(const Subsystem& system, const Eigen::VectorXd& target, double hull_energy) {
  std::ptrdiff_t best = -1;
  for (Eigen::Index k = 0; k < system.energies.size(); ++k) {
    if ((system.fractions.col(k) - target).cwiseAbs().maxCoeff() > k_fraction_tolerance) continue;
    if (system.energies[k] > hull_energy + k_energy_tolerance) continue;
    if (best < 0 || system.energies[k] < system.energies[best]) best = k;
  }
  return best;
}

HullResult decompose_in(const Subsystem& system, const Composition& composition, double formation_energy) {
  const Eigen::VectorXd target = fractions_of(composition, system.elements);
  const LinearProgramResult best = detail::minimise(system.fractions, target, system.energies, system.pure);
  HullResult result{formation_energy - best.value, {}};
  if (const auto itself = same_composition(system, target, best.value); itself >= 0) {
    result.products.push_back({system.phases[static_cast<std::size_t>(itself)], 1.0});
    return result;
  }
  for (Eigen::Index k = 0; k < best.solution.size(); ++k)
    if (best.solution[k] > k_fraction_tolerance)
      result.products.push_back({system.phases[static_cast<std::size_t>(k)], best.solution[k]});
  return result;
}

}  // namespace

ConvexHull::ConvexHull(std::vector<Phase> phases) : phases_(std::move(phases)) {
  std::set<Element> seen;
  for (const Phase& phase : phases_) {
    if (!std::isfinite(phase.energy_per_atom)) throw NumericsError("the energy of phase " + phase.id + " is not finite");
    if (phase.composition.counts().empty()) throw ShapeError("phase " + phase.id + " holds no atoms");
    for (const auto& [element, count] : phase.composition.counts()) seen.insert(element);
  }
  elements_.assign(seen.begin(), seen.end());
  for (const Element element : elements_) {
    const std::ptrdiff_t lowest = lowest_elemental(phases_, element);
    if (lowest < 0) throw ShapeError("the hull lacks an elemental phase of " + std::string(element.symbol()));
    references_.push_back(phases_[static_cast<std::size_t>(lowest)].energy_per_atom);
  }
}

HullResult ConvexHull::decompose(const Composition& composition, double energy_per_atom) const {
  return decompose_without(composition, energy_per_atom, {});
}

HullResult ConvexHull::decompose_without(const Composition& composition, double energy_per_atom,
                                         std::span<const std::string> excluded) const {
  const Subsystem system = subsystem_of(*this, composition, {excluded.begin(), excluded.end()});
  return decompose_in(system, composition, formation_energy(composition, energy_per_atom));
}

double ConvexHull::formation_energy(const Composition& composition, double energy_per_atom) const {
  const Eigen::VectorXd fractions = fractions_of(composition, elements_);
  double reference = 0.0;
  for (std::size_t e = 0; e < elements_.size(); ++e) reference += fractions[static_cast<Eigen::Index>(e)] * references_[e];
  return energy_per_atom - reference;
}

ChemicalPotentialRange ConvexHull::stability_range(const Composition& composition, double energy_per_atom,
                                                   Element element, std::span<const std::string> excluded) const {
  const Subsystem system = subsystem_of(*this, composition, {excluded.begin(), excluded.end()});
  const auto found = std::find(system.elements.begin(), system.elements.end(), element);
  if (found == system.elements.end())
    throw SpeciesError("element " + std::string(element.symbol()) + " is not in " + composition.formula() +
                       ": only an element of the compound has a stability range");
  const double formation = formation_energy(composition, energy_per_atom);
  const double above = decompose_in(system, composition, formation).energy_above_hull;
  if (above > k_energy_tolerance) return {0.0, 0.0, false};

  // Both ends are linear programs in Δμ; their duals have the shape of a decomposition in which the
  // compound may also be taken apart. Highest Δμ:
  //   min Σ λ_p e_p + (λ⁺ − λ⁻) e_c  with  Σ λ_p x_p + (λ⁺ − λ⁻) x_c = unit(element), λ ≥ 0,
  // from the pure elements; the lowest is minus the same for −unit(element), from the compound taken
  // apart into the other elements.
  const Eigen::Index n = system.energies.size(), rows = system.fractions.rows();
  const Eigen::Index position = found - system.elements.begin();
  const Eigen::VectorXd compound = fractions_of(composition, system.elements);
  const double energy = formation - std::max(0.0, above);  // rounding must not open a cycle that gains energy
  Eigen::MatrixXd columns(rows, n + 2);
  columns << system.fractions, compound, -compound;
  Eigen::VectorXd costs(n + 2);
  costs << system.energies, energy, -energy;
  std::vector<Eigen::Index> basis = system.pure;
  const LinearProgramResult high = detail::minimise(columns, Eigen::VectorXd::Unit(rows, position), costs, basis);
  basis[static_cast<std::size_t>(position)] = n + 1;
  const LinearProgramResult low = detail::minimise(columns, -Eigen::VectorXd::Unit(rows, position), costs, basis);
  const bool bounded = high.status == LinearProgramResult::Status::optimal && low.status == LinearProgramResult::Status::optimal;
  if (!bounded) throw NumericsError("the stability range of " + composition.formula() + " is not bounded");
  return {std::min(-low.value, high.value), high.value, true};
}

}  // namespace tamiz
