#include "tamiz/potentials/engine/blank_prediction.hpp"

#include <Eigen/LU>
#include <cmath>
#include <string>

#include "tamiz/core/base/error.hpp"

namespace tamiz {

Prediction blank_prediction(const Potential& potential, const Batch& batch, const State& state, const Outputs& outputs) {
  require_species(potential, batch.species());
  if (!state.positions.allFinite()) throw NumericsError("positions are not finite");
  const auto n_atoms = static_cast<Eigen::Index>(batch.n_atoms());
  const auto n_structures = static_cast<Eigen::Index>(batch.n_structures());
  if (outputs.stress)
    for (std::size_t s = 0; s < batch.n_structures(); ++s)
      if (!(std::abs(state.cells[s].determinant()) > 0.0))
        throw CapabilityError("structure " + std::to_string(s) + " has no cell, so it has no stress");
  if (outputs.uncertainty_gradients && !potential.capabilities().uncertainty_gradients)
    throw CapabilityError("'" + potential.name() + "' has no gradient of an uncertainty: it takes a committee of two or more "
                          "members and the engine fused");
  Prediction prediction;
  prediction.energies.resize(n_structures);
  if (outputs.forces) prediction.forces.resize(n_atoms, 3);
  if (outputs.stress) prediction.stresses.resize(batch.n_structures());
  if (outputs.atom_energies) prediction.atom_energies.resize(n_atoms);
  if (outputs.members || outputs.uncertainty_gradients) prediction.member_energies.resize(n_structures, potential.capabilities().n_members);
  if (outputs.uncertainty_gradients) prediction.uncertainty_gradients.resize(n_atoms, 3);
  if (outputs.uncertainty_gradients && outputs.stress) prediction.uncertainty_stresses.resize(batch.n_structures());
  if (outputs.descriptors) prediction.descriptors.resize(n_atoms, potential.capabilities().n_descriptors);
  return prediction;
}

}  // namespace tamiz
