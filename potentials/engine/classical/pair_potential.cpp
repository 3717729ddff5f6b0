#include "tamiz/potentials/engine/classical/pair_potential.hpp"

#include <vector>

namespace tamiz {

Capabilities PairPotential::capabilities() const {
  return {.stress = true,
          .atom_energies = true,
          .n_members = 0,
          .elements = {species_.elements().begin(), species_.elements().end()}};
}

Prediction PairPotential::evaluate(const Batch& batch, const State& state, const NeighborList& neighbors,
                                   const Outputs& outputs) const {
  check_evaluation(*this, batch, state, neighbors, outputs);
  Prediction prediction = empty_prediction(batch, outputs);
  const std::vector<std::size_t> types = species_.of(batch.species());
  std::vector<double> energies(batch.n_atoms(), 0.0);
  std::vector<Mat3> virials(batch.n_structures(), Mat3::Zero());
  for (std::size_t i = 0; i < batch.n_atoms(); ++i) {
    Vec3 force = Vec3::Zero();
    Mat3 virial = Mat3::Zero();
    for (std::size_t p = neighbors.first()[i]; p < neighbors.first()[i + 1]; ++p) {
      const Vec3 d = neighbors.vector(p, batch, state);
      const double r = d.norm();
      check_distance(r, i);
      if (r >= cutoff_) continue;
      const Radial u = pair(types[i], types[static_cast<std::size_t>(neighbors.neighbors()[p])], r);
      energies[i] += 0.5 * u.value;
      // Every pair stands twice in the list: the full slope is this atom's force, half of it its virial.
      force += (u.slope / r) * d;
      virial += (0.5 * u.slope / r) * d * d.transpose();
    }
    if (outputs.forces) prediction.forces.row(static_cast<Eigen::Index>(i)) = force.transpose();
    virials[static_cast<std::size_t>(batch.owners()[i])] += virial;
  }
  finish(prediction, batch, state, outputs, energies, virials);
  return prediction;
}

}  // namespace tamiz
