#include "tamiz/potentials/engine/classical/species_table.hpp"

#include <Eigen/LU>
#include <cmath>
#include <string>

#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/engine/stress.hpp"

namespace tamiz {

SpeciesTable::SpeciesTable(std::vector<Element> elements) : elements_(std::move(elements)) {
  places_.fill(-1);
  for (std::size_t k = 0; k < elements_.size(); ++k) {
    int& place = places_[static_cast<std::size_t>(elements_[k].number())];
    if (place >= 0) throw SpeciesError("element " + std::string(elements_[k].symbol()) + " is listed twice");
    place = static_cast<int>(k);
  }
}

std::vector<std::size_t> SpeciesTable::of(std::span<const Element> species) const {
  std::vector<std::size_t> types;
  types.reserve(species.size());
  for (const Element element : species) types.push_back((*this)[element]);
  return types;
}

Prediction empty_prediction(const Batch& batch, const Outputs& outputs) {
  Prediction prediction;
  prediction.energies = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(batch.n_structures()));
  if (outputs.forces) prediction.forces = Coordinates::Zero(static_cast<Eigen::Index>(batch.n_atoms()), 3);
  if (outputs.stress) prediction.stresses.assign(batch.n_structures(), Mat3::Zero());
  return prediction;
}

void finish(Prediction& prediction, const Batch& batch, const State& state, const Outputs& outputs,
            std::span<const double> atom_energies, std::span<const Mat3> virials) {
  for (std::size_t s = 0; s < batch.n_structures(); ++s) {
    double& energy = prediction.energies[static_cast<Eigen::Index>(s)];
    for (std::size_t a = batch.offsets()[s]; a < batch.offsets()[s + 1]; ++a) energy += atom_energies[a];
    if (outputs.stress) prediction.stresses[s] = stress_of(virials[s], std::abs(state.cells[s].determinant()));
  }
  if (outputs.atom_energies)
    prediction.atom_energies =
        Eigen::Map<const Eigen::VectorXd>(atom_energies.data(), static_cast<Eigen::Index>(atom_energies.size()));
}

}  // namespace tamiz
