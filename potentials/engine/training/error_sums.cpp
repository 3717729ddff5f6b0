#include "tamiz/potentials/engine/training/error_sums.hpp"

#include <algorithm>
#include <cmath>

#include "tamiz/potentials/engine/training/label_weights.hpp"

namespace tamiz {
namespace {

constexpr double k_energy_unit = 0.02;  // [eV/atom] what counts as one unit of error in a score
constexpr double k_force_unit = 0.10;   // [eV/Å]

std::optional<double> ratio(double sum, double count) { return count > 0 ? std::optional(sum / count) : std::nullopt; }

bool has_stress(const Frame& frame) { return frame.labels.stress.has_value() && frame.structure.lattice().volume() > 0.0; }

}  // namespace

Outputs outputs_for_errors(const Potential& potential, std::span<const Frame> frames) {
  return {.forces = true, .stress = potential.capabilities().stress && std::any_of(frames.begin(), frames.end(), has_stress)};
}

void ErrorSums::add(const Frame& frame, const PredictedFrame& prediction) {
  const auto n = static_cast<double>(frame.structure.size());
  const LabelWeights weights = label_weights(frame, "frame");
  ++n_frames_;
  n_atoms_ += frame.structure.size();
  if (const auto energy = frame.labels.consistent_energy()) {
    const double error = (prediction.energy - *energy) / n;
    energy_ += std::abs(error);
    energy_squared_ += error * error;
    n_energies_ += 1;
    energy_score_ += weights.energy * std::log1p(std::abs(error) / k_energy_unit);
    energy_weight_ += weights.energy;
  }
  if (frame.labels.forces) {
    const double error = (prediction.forces - *frame.labels.forces).cwiseAbs().sum();
    force_ += error;
    force_score_ += weights.forces * std::log1p(error / (3.0 * n) / k_force_unit);
    force_weight_ += weights.forces;
    reference_force_ += frame.labels.forces->cwiseAbs().sum();
    n_forces_ += 3.0 * n;
  }
  if (prediction.stress && has_stress(frame)) {
    stress_ += (*prediction.stress - *frame.labels.stress).cwiseAbs().sum();
    n_stresses_ += 9;
  }
}

ErrorSummary ErrorSums::summary() const {
  ErrorSummary summary;
  summary.n_frames = n_frames_;
  summary.n_atoms = n_atoms_;
  summary.energy_mae = ratio(energy_, n_energies_);
  if (const auto squared = ratio(energy_squared_, n_energies_)) summary.energy_rmse = std::sqrt(*squared);
  summary.force_mae = ratio(force_, n_forces_);
  summary.mean_force = ratio(reference_force_, n_forces_);
  summary.stress_mae = ratio(stress_, n_stresses_);
  if (energy_weight_ > 0 || force_weight_ > 0)
    summary.score = ratio(energy_score_, energy_weight_).value_or(0.0) + ratio(force_score_, force_weight_).value_or(0.0);
  return summary;
}

ErrorSummary evaluate_errors(const Potential& potential, std::span<const Frame> frames) {
  ErrorSums sums;
  predict_frames(potential, frames, outputs_for_errors(potential, frames),
                 [&](std::size_t k, const PredictedFrame& prediction) { sums.add(frames[k], prediction); });
  return sums.summary();
}

}  // namespace tamiz
