#include <algorithm>
#include <cmath>

#include "tamiz/potentials/engine/trainer.hpp"

namespace tamiz {
namespace {

/// Frames evaluated at once, to bound memory.
constexpr std::size_t k_chunk = 256;

constexpr double k_energy_unit = 0.02;  // [eV/atom] what counts as one unit of error in a score
constexpr double k_force_unit = 0.10;   // [eV/Å]

struct Sums {
  double energy = 0, energy_squared = 0, n_energies = 0;
  double force = 0, reference_force = 0, n_forces = 0;
  double stress = 0, n_stresses = 0;
  double energy_score = 0, force_score = 0, n_frames_with_forces = 0;
};

bool has_stress(const Frame& frame) { return frame.labels.stress.has_value() && frame.structure.lattice().volume() > 0.0; }

void add_frame(Sums& sums, const Frame& frame, const Prediction& p, std::size_t k, Eigen::Index atom) {
  const auto n = static_cast<Eigen::Index>(frame.structure.size());
  if (const auto energy = frame.labels.consistent_energy()) {
    const double error = (p.energies[static_cast<Eigen::Index>(k)] - *energy) / static_cast<double>(n);
    sums.energy += std::abs(error);
    sums.energy_squared += error * error;
    sums.n_energies += 1;
    sums.energy_score += std::log1p(std::abs(error) / k_energy_unit);
  }
  if (frame.labels.forces) {
    const double error = (p.forces.middleRows(atom, n) - *frame.labels.forces).cwiseAbs().sum();
    sums.force += error;
    sums.force_score += std::log1p(error / (3.0 * static_cast<double>(n)) / k_force_unit);
    sums.n_frames_with_forces += 1;
    sums.reference_force += frame.labels.forces->cwiseAbs().sum();
    sums.n_forces += 3.0 * static_cast<double>(n);
  }
  if (!p.stresses.empty() && has_stress(frame)) {
    sums.stress += (p.stresses[k] - *frame.labels.stress).cwiseAbs().sum();
    sums.n_stresses += 9;
  }
}

std::optional<double> ratio(double sum, double count) { return count > 0 ? std::optional(sum / count) : std::nullopt; }

}  // namespace

ErrorSummary evaluate_errors(const Potential& potential, std::span<const Frame> frames) {
  Sums sums;
  ErrorSummary summary;
  summary.n_frames = frames.size();
  for (std::size_t begin = 0; begin < frames.size(); begin += k_chunk) {
    const auto chunk = frames.subspan(begin, std::min(k_chunk, frames.size() - begin));
    std::vector<Structure> structures;
    for (const Frame& frame : chunk) structures.push_back(frame.structure);
    const bool stress = potential.capabilities().stress && std::any_of(chunk.begin(), chunk.end(), has_stress);
    const Prediction p = evaluate(potential, structures, {.forces = true, .stress = stress});
    Eigen::Index atom = 0;
    for (std::size_t k = 0; k < chunk.size(); ++k) {
      add_frame(sums, chunk[k], p, k, atom);
      atom += static_cast<Eigen::Index>(chunk[k].structure.size());
    }
    summary.n_atoms += static_cast<std::size_t>(atom);
  }
  summary.energy_mae = ratio(sums.energy, sums.n_energies);
  if (const auto squared = ratio(sums.energy_squared, sums.n_energies)) summary.energy_rmse = std::sqrt(*squared);
  summary.force_mae = ratio(sums.force, sums.n_forces);
  summary.mean_force = ratio(sums.reference_force, sums.n_forces);
  summary.stress_mae = ratio(sums.stress, sums.n_stresses);
  if (sums.n_energies > 0 || sums.n_frames_with_forces > 0)
    summary.score = ratio(sums.energy_score, sums.n_energies).value_or(0.0) + ratio(sums.force_score, sums.n_frames_with_forces).value_or(0.0);
  return summary;
}

}  // namespace tamiz
