#include "tamiz/potentials/engine/training/loss.hpp"

#include <cmath>
#include <numeric>

#include "tamiz/potentials/engine/training/label_weights.hpp"

namespace tamiz {
namespace {

/// Smooth Huber function of a squared residual, and its derivative by that.
struct Robust {
  double value, slope;
};

Robust robust(double squared, double delta) {
  if (delta <= 0.0) return {squared, 1.0};
  const double root = std::sqrt(squared / (delta * delta) + 1.0);
  return {(root - 1.0) * 2.0 * delta * delta, 1.0 / root};
}

/// Adds weight·ρ(error per atom) and returns its derivative by the energy.
double add_energy(double energy, double reference, double n_atoms, double weight, double delta, double& loss) {
  const double error = (energy - reference) / n_atoms;
  const Robust r = robust(error * error, delta);
  loss += weight * r.value;
  return weight * r.slope * 2.0 * error / n_atoms;
}

void add_energies(const TrainingFrame& frame, const FramePrediction& prediction, double reference, double weight,
                  double delta, FrameLoss& loss) {
  const auto n = static_cast<double>(frame.frame.structure.size()), m = static_cast<double>(prediction.members.size());
  const double mean = std::accumulate(prediction.members.begin(), prediction.members.end(), 0.0) / m;
  const double by_mean = add_energy(mean, reference, n, weight, delta, loss.value);
  for (std::size_t q = 0; q < prediction.members.size(); ++q) {
    const double share = frame.member_weights.empty() ? 1.0 : static_cast<double>(frame.member_weights[q]);
    loss.by_members[q] =
        by_mean / m + add_energy(prediction.members[q], reference, n, weight / m * share, delta, loss.value);
  }
}

void add_forces(const Coordinates& reference, const FramePrediction& prediction, double weight, double delta,
                FrameLoss& loss) {
  const double of_atom = weight / (3.0 * static_cast<double>(reference.rows()));
  for (Eigen::Index i = 0; i < reference.rows(); ++i) {
    const Eigen::RowVector3d error = prediction.forces.row(i) - reference.row(i);
    const Robust r = robust(error.squaredNorm(), delta);
    loss.value += of_atom * r.value;
    loss.by_forces.row(i) = of_atom * r.slope * 2.0 * error;
  }
}

}  // namespace

void find_frame_loss(const TrainingFrame& frame, const FramePrediction& prediction, const LossWeights& of_all,
                     std::size_t n_batch, FrameLoss& loss) {
  const Labels& labels = frame.frame.labels;
  const double share = 1.0 / static_cast<double>(n_batch);
  const LossWeights weights = weighted(of_all, frame.weights);
  loss.value = 0.0;
  loss.by_members.assign(prediction.members.size(), 0.0);
  loss.by_forces.setZero(static_cast<Eigen::Index>(frame.frame.structure.size()), 3);
  loss.by_stress.setZero();
  if (const auto energy = labels.consistent_energy())
    add_energies(frame, prediction, *energy, share * weights.energy, weights.energy_delta, loss);
  if (labels.forces && weights.forces > 0.0)
    add_forces(*labels.forces, prediction, share * weights.forces, weights.force_delta, loss);
  if (labels.stress && weights.stress > 0.0 && prediction.volume > 0.0) {
    const Mat3 error = prediction.stress - *labels.stress;
    const double weight = share * weights.stress / 9.0;
    const Robust r = robust(error.squaredNorm(), weights.stress_delta);
    loss.value += weight * r.value;
    // The predicted stress is symmetric whatever the label: only that part of the derivative counts.
    loss.by_stress = weight * r.slope * (error + error.transpose());
  }
}

}  // namespace tamiz
