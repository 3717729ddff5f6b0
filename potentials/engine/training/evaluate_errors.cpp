#include <algorithm>
#include <cmath>

#include "tamiz/potentials/engine/trainer.hpp"

namespace tamiz {
namespace {

/// Frames evaluated at once, to bound memory.
constexpr std::size_t k_chunk = 256;

struct Sums {
  double energy = 0, energy_squared = 0, n_energies = 0;
  double force = 0, reference_force = 0, n_forces = 0;
  double stress = 0, n_stresses = 0;
};

void add_frame(Sums& sums, const Frame& frame, const Prediction& p, std::size_t k, Eigen::Index atom, bool with_stress) {
  const auto n = static_cast<Eigen::Index>(frame.structure.size());
  if (const auto energy = frame.labels.consistent_energy()) {
    const double error = (p.energies[static_cast<Eigen::Index>(k)] - *energy) / static_cast<double>(n);
    sums.energy += std::abs(error);
    sums.energy_squared += error * error;
    sums.n_energies += 1;
  }
  if (frame.labels.forces) {
    sums.force += (p.forces.middleRows(atom, n) - *frame.labels.forces).cwiseAbs().sum();
    sums.reference_force += frame.labels.forces->cwiseAbs().sum();
    sums.n_forces += 3.0 * static_cast<double>(n);
  }
  if (with_stress && frame.labels.stress) {
    sums.stress += (p.stresses[k] - *frame.labels.stress).cwiseAbs().sum();
    sums.n_stresses += 9;
  }
}

double ratio(double sum, double count) { return count > 0 ? sum / count : 0.0; }

}  // namespace

ErrorSummary evaluate_errors(const Potential& potential, std::span<const Frame> frames) {
  Sums sums;
  ErrorSummary summary;
  summary.n_frames = frames.size();
  // Frames with and without a cell are evaluated apart, for only the first have a stress.
  for (const bool with_stress : {true, false}) {
    std::vector<const Frame*> chosen;
    for (const Frame& frame : frames) {
      const bool has = frame.labels.stress.has_value() && frame.structure.lattice().volume() > 0.0 && potential.capabilities().stress;
      if (has == with_stress) chosen.push_back(&frame);
    }
    for (std::size_t begin = 0; begin < chosen.size(); begin += k_chunk) {
      const std::size_t end = std::min(chosen.size(), begin + k_chunk);
      std::vector<Structure> structures;
      for (std::size_t k = begin; k < end; ++k) structures.push_back(chosen[k]->structure);
      const Prediction p = evaluate(potential, structures, {.forces = true, .stress = with_stress});
      Eigen::Index atom = 0;
      for (std::size_t k = begin; k < end; ++k) {
        add_frame(sums, *chosen[k], p, k - begin, atom, with_stress);
        atom += static_cast<Eigen::Index>(chosen[k]->structure.size());
      }
      summary.n_atoms += static_cast<std::size_t>(atom);
    }
  }
  summary.energy_mae = ratio(sums.energy, sums.n_energies);
  summary.energy_rmse = std::sqrt(ratio(sums.energy_squared, sums.n_energies));
  summary.force_mae = ratio(sums.force, sums.n_forces);
  summary.mean_force = ratio(sums.reference_force, sums.n_forces);
  summary.stress_mae = ratio(sums.stress, sums.n_stresses);
  return summary;
}

}  // namespace tamiz
