#include "tamiz/core/simulation/potential.hpp"

#include <algorithm>

#include "tamiz/core/base/error.hpp"

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

}  // namespace tamiz
