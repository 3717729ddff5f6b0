#include "tamiz/potentials/engine/blank_prediction.hpp"

namespace tamiz {

Prediction blank_prediction(const Potential& potential, const Batch& batch, const Outputs& outputs) {
  const auto n_atoms = static_cast<Eigen::Index>(batch.n_atoms());
  const auto n_structures = static_cast<Eigen::Index>(batch.n_structures());
  const Capabilities can = potential.capabilities();
  Prediction prediction;
  prediction.energies.resize(n_structures);
  if (outputs.forces) prediction.forces.resize(n_atoms, 3);
  if (outputs.stress) prediction.stresses.assign(batch.n_structures(), Mat3::Zero());
  if (outputs.atom_energies) prediction.atom_energies.resize(n_atoms);
  if (outputs.members || outputs.uncertainty_gradients) prediction.member_energies.resize(n_structures, can.n_members);
  if (outputs.uncertainty_gradients) prediction.uncertainty_gradients.resize(n_atoms, 3);
  if (outputs.uncertainty_gradients && outputs.stress) prediction.uncertainty_stresses.assign(batch.n_structures(), Mat3::Zero());
  if (outputs.descriptors) prediction.descriptors.resize(n_atoms, can.n_descriptors);
  return prediction;
}

}  // namespace tamiz
