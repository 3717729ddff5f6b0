#include "tamiz/core/analysis/hull.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include "tamiz/core/analysis/simplex.hpp"
#include "tamiz/core/base/error.hpp"

namespace tamiz {
namespace {

using detail::LinearProgramResult;

/// Atomic fractions of a composition over `elements`; throws SpeciesError for an element outside them.
Eigen::VectorXd fractions_of(const Composition& composition, std::span<const Element> elements) {
  Eigen::VectorXd fractions = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(elements.size()));
  for (const auto& [element, count] : composition.counts()) {
    const auto found = std::find(elements.begin(), elements.end(), element);
    if (found == elements.end())
      throw SpeciesError("element " + std::string(element.symbol()) + " is not in the hull");
    fractions[found - elements.begin()] = static_cast<double>(count) / composition.n_atoms();
  }
  return fractions;
}

/// Lowest elemental phase of each element: a feasible basis for every composition.
std::vector<Eigen::Index> elemental_basis(std::span<const Phase> phases, std::span<const Element> elements) {
  std::vector<Eigen::Index> basis;
  for (const Element element : elements) {
    Eigen::Index best = -1;
    for (std::size_t k = 0; k < phases.size(); ++k) {
      const auto& counts = phases[k].composition.counts();
      if (counts.size() != 1 || counts.begin()->first != element) continue;
      if (best < 0 || phases[k].energy_per_atom < phases[static_cast<std::size_t>(best)].energy_per_atom)
        best = static_cast<Eigen::Index>(k);
    }
    if (best < 0)
      throw ShapeError("the hull lacks an elemental phase of " + std::string(element.symbol()));
    basis.push_back(best);
  }
  return basis;
}

struct Columns {
  Eigen::MatrixXd fractions;  // (n_elements, n_phases)
  Eigen::VectorXd energies;
};

Columns columns_of(std::span<const Phase> phases, std::span<const Element> elements) {
  Columns columns{Eigen::MatrixXd(static_cast<Eigen::Index>(elements.size()), static_cast<Eigen::Index>(phases.size())),
                  Eigen::VectorXd(static_cast<Eigen::Index>(phases.size()))};
  for (std::size_t k = 0; k < phases.size(); ++k) {
    columns.fractions.col(static_cast<Eigen::Index>(k)) = fractions_of(phases[k].composition, elements);
    columns.energies[static_cast<Eigen::Index>(k)] = phases[k].energy_per_atom;
  }
  return columns;
}

HullResult decompose_among(std::span<const Phase> phases, std::span<const Element> elements,
                           const Composition& composition, double energy_per_atom) {
  const Columns columns = columns_of(phases, elements);
  const LinearProgramResult best = detail::minimise(columns.fractions, fractions_of(composition, elements),
                                                    columns.energies, elemental_basis(phases, elements));
  HullResult result{energy_per_atom - best.value, {}};
  for (Eigen::Index k = 0; k < best.solution.size(); ++k)
    if (best.solution[k] > 1e-10) result.products.push_back({static_cast<std::size_t>(k), best.solution[k]});
  return result;
}

}  // namespace

ConvexHull::ConvexHull(std::vector<Phase> phases) : phases_(std::move(phases)) {
  std::map<Element, bool> seen;
  for (const Phase& phase : phases_) {
    if (!std::isfinite(phase.energy_per_atom)) throw NumericsError("the energy of phase " + phase.id + " is not finite");
    for (const auto& [element, count] : phase.composition.counts()) seen[element] = true;
  }
  for (const auto& [element, present] : seen) elements_.push_back(element);
  elemental_basis(phases_, elements_);  // throws where one is missing
}

HullResult ConvexHull::decompose(const Composition& composition, double energy_per_atom) const {
  return decompose_among(phases_, elements_, composition, energy_per_atom);
}

HullResult ConvexHull::decompose_without(const Composition& composition, double energy_per_atom,
                                         std::span<const std::string> excluded) const {
  std::vector<Phase> others;
  std::vector<std::size_t> indices;
  for (std::size_t k = 0; k < phases_.size(); ++k) {
    const bool elemental = phases_[k].composition.counts().size() == 1;
    const bool named = std::find(excluded.begin(), excluded.end(), phases_[k].id) != excluded.end();
    if (named && !elemental) continue;  // without its elements there is no hull
    others.push_back(phases_[k]);
    indices.push_back(k);
  }
  HullResult result = decompose_among(others, elements_, composition, energy_per_atom);
  for (DecompositionProduct& product : result.products) product.phase = indices[product.phase];
  return result;
}

double ConvexHull::formation_energy(const Composition& composition, double energy_per_atom) const {
  const std::vector<Eigen::Index> basis = elemental_basis(phases_, elements_);
  const Eigen::VectorXd fractions = fractions_of(composition, elements_);
  double reference = 0.0;
  for (std::size_t e = 0; e < elements_.size(); ++e)
    reference += fractions[static_cast<Eigen::Index>(e)] * phases_[static_cast<std::size_t>(basis[e])].energy_per_atom;
  return energy_per_atom - reference;
}

ChemicalPotentialRange ConvexHull::stability_range(const Composition& composition, double energy_per_atom,
                                                   Element element) const {
  // Both ends are linear programs in Δμ; their duals have the shape of a decomposition. Highest Δμ:
  //   min Σ λ_p e_p + (λ⁺ − λ⁻) e_c  with  Σ λ_p x_p + (λ⁺ − λ⁻) x_c = unit(element), λ ≥ 0;
  // lowest: the same for −unit(element), made feasible at the start by one costly column −unit(element).
  // An unbounded dual means that no Δμ satisfies all phases: the compound is not stable.
  constexpr double k_costly = 1e6;  // [eV/atom], beyond any energy of a phase
  const Columns columns = columns_of(phases_, elements_);
  const Eigen::Index n = columns.energies.size(), rows = columns.fractions.rows();
  const Eigen::VectorXd compound = fractions_of(composition, elements_);
  Eigen::MatrixXd a(rows, n + 3);
  Eigen::VectorXd cost(n + 3);
  for (Eigen::Index k = 0; k < n; ++k) cost[k] = formation_energy(phases_[static_cast<std::size_t>(k)].composition, columns.energies[k]);
  const double formation = formation_energy(composition, energy_per_atom);
  const Eigen::Index position = std::find(elements_.begin(), elements_.end(), element) - elements_.begin();
  if (position == static_cast<Eigen::Index>(elements_.size()))
    throw SpeciesError("element " + std::string(element.symbol()) + " is not in the hull");
  const Eigen::VectorXd unit = Eigen::VectorXd::Unit(rows, position);
  a << columns.fractions, compound, -compound, -unit;
  cost.tail(3) << formation, -formation, k_costly;

  std::vector<Eigen::Index> basis = elemental_basis(phases_, elements_);
  const LinearProgramResult high = detail::minimise(a, unit, cost, basis);
  basis[static_cast<std::size_t>(position)] = n + 2;
  const LinearProgramResult low = detail::minimise(a, -unit, cost, basis);
  const bool stable = high.status == LinearProgramResult::Status::optimal &&
                      low.status == LinearProgramResult::Status::optimal && -low.value <= high.value + 1e-9;
  return stable ? ChemicalPotentialRange{-low.value, high.value, true} : ChemicalPotentialRange{0.0, 0.0, false};
}

}  // namespace tamiz
