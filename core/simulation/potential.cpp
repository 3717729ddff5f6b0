#include "tamiz/core/simulation/potential.hpp"

#include <algorithm>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/text.hpp"

namespace tamiz {

namespace {

/// Calls compute(batch, state, neighbors).
template <typename Compute>
auto with_neighbors(const Potential& potential, std::span<const Structure> structures, const Compute& compute) {
  const Batch batch(structures);
  require_species(potential, batch.species());
  const State state = State::of(structures);
  // One call has no second step that a skin could serve.
  const NeighborRequest request{potential.neighbors().cutoff, 0.0};
  return compute(batch, state, build_neighbors(batch, state, request, potential.threads()));
}

}  // namespace

Coordinates Potential::hessian_vector_products(const Batch&, const State&, const NeighborList&,
                                               const Coordinates&) const {
  throw CapabilityError(name() + " has no second derivatives: those of a MACE model come from the engine fused");
}

Prediction evaluate(const Potential& potential, std::span<const Structure> structures, const Outputs& outputs) {
  return with_neighbors(potential, structures,
                        [&](const Batch& batch, const State& state, const NeighborList& neighbors) {
                          return potential.evaluate(batch, state, neighbors, outputs);
                        });
}

Coordinates hessian_vector_products(const Potential& potential, std::span<const Structure> structures,
                                    const Coordinates& directions) {
  return with_neighbors(potential, structures,
                        [&](const Batch& batch, const State& state, const NeighborList& neighbors) {
                          return potential.hessian_vector_products(batch, state, neighbors, directions);
                        });
}

Eigen::VectorXd energy_deviations(const Prediction& prediction) {
  const Eigen::MatrixXd& members = prediction.member_energies;
  const Eigen::MatrixXd spread = members.colwise() - Eigen::VectorXd(members.rowwise().mean());
  return (spread.rowwise().squaredNorm() / static_cast<double>(members.cols() - 1)).cwiseSqrt();
}

void require_species(const Potential& potential, std::span<const Element> species) {
  const std::vector<Element> known = potential.capabilities().elements;
  if (known.empty()) return;
  for (const Element element : species) {
    if (std::find(known.begin(), known.end(), element) != known.end()) continue;
    std::string list;
    for (const Element each : known) list += (list.empty() ? "" : ", ") + std::string(each.symbol());
    throw SpeciesError(std::string(element.symbol()) + " is unknown to " + potential.name() + ", which knows " + list);
  }
}

void check_evaluation(const Potential& potential, const Batch& batch, const State& state, const NeighborList& neighbors,
                      const Outputs& outputs) {
  require_species(potential, batch.species());
  const Capabilities can = potential.capabilities();
  const auto require = [&](bool asked, bool offered, const char* what) {
    if (asked && !offered) throw CapabilityError("'" + potential.name() + "' has no " + what);
  };
  require(outputs.stress, can.stress, "stress");
  require(outputs.atom_energies, can.atom_energies, "energies of atoms");
  require(outputs.members, can.n_members > 0, "calibrated committee, so no energies of its members");
  require(outputs.descriptors, can.n_descriptors > 0, "descriptors");
  require(outputs.uncertainty_gradients, can.uncertainty_gradients,
          "gradient of an uncertainty: it takes a committee of two or more members and the engine fused");
  if (static_cast<std::size_t>(state.positions.rows()) != batch.n_atoms() || state.cells.size() != batch.n_structures() ||
      neighbors.first().size() != batch.n_atoms() + 1)
    throw ShapeError("batch, state and neighbour list do not belong together");
  if (neighbors.request().cutoff < potential.neighbors().cutoff)
    throw ShapeError("the neighbour list reaches " + format_double(neighbors.request().cutoff) + " Å, but '" +
                     potential.name() + "' needs " + format_double(potential.neighbors().cutoff));
  if (!state.positions.allFinite()) throw NumericsError("a position is not finite");
}

void check_distance(double distance, std::size_t atom) {
  if (!(distance > 0.0)) throw NumericsError("another atom lies on atom " + std::to_string(atom) + " of the batch");
}

}  // namespace tamiz
