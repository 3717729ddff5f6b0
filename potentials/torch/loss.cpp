#include "tamiz/potentials/torch/loss.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>

#include "tamiz/potentials/engine/training/label_weights.hpp"

namespace tamiz::torch_engine {
namespace {

/// Reference values and their weights in the loss, zero where a frame has no such label.
struct Targets {
  at::Tensor energies, sizes, energy_weights, member_weights;  // float64: (F, 1) and (F, K)
  at::Tensor forces, force_weights;                            // (N, 3), (N)
  at::Tensor stresses, stress_weights, inverse_volumes;        // (F, 3, 3), (F, 1, 1)
  bool derivatives = false;
};

Targets blank_targets(std::int64_t n_frames, std::int64_t n_atoms, std::int64_t n_members) {
  Targets t;
  t.energies = at::zeros({n_frames, 1}, at::kDouble);
  t.sizes = at::zeros({n_frames, 1}, at::kDouble);
  t.energy_weights = at::zeros({n_frames, 1}, at::kDouble);
  t.member_weights = at::zeros({n_frames, n_members}, at::kDouble);
  t.forces = at::zeros({n_atoms, 3}, at::kDouble);
  t.force_weights = at::zeros({n_atoms}, at::kDouble);
  t.stresses = at::zeros({n_frames, 3, 3}, at::kDouble);
  t.stress_weights = at::zeros({n_frames, 1, 1}, at::kDouble);
  t.inverse_volumes = at::zeros({n_frames, 1, 1}, at::kDouble);
  return t;
}

double* at_row(at::Tensor& tensor, std::int64_t row) {
  return tensor.mutable_data_ptr<double>() + row * (tensor.dim() > 1 ? tensor.stride(0) : 1);
}

/// One frame in its shard, whose baseline is known and not learned.
struct Place {
  const Shard& shard;
  std::int64_t frame, first_atom, n_atoms;
  double share;  // of the batch

  const AtomBaseline& baseline(std::int64_t i) const { return shard.baseline[static_cast<std::size_t>(first_atom + i)]; }
};

void set_energy(Targets& t, const Place& at, double energy, const ModelDescription& d, const TrainingFrame& frame, double weight) {
  double reference = 0.0;
  for (std::int64_t i = 0; i < at.n_atoms; ++i) {
    const auto element = at.shard.elements[static_cast<std::size_t>(at.first_atom + i)];
    reference += d.atomic_energies[static_cast<std::size_t>(element)] + at.baseline(i).energy;
  }
  *at_row(t.energies, at.frame) = energy - reference;
  *at_row(t.energy_weights, at.frame) = at.share * weight;
  for (std::size_t k = 0; k < static_cast<std::size_t>(d.n_members); ++k)
    at_row(t.member_weights, at.frame)[k] = at.share * weight / d.n_members *
                                            (frame.member_weights.empty() ? 1.0 : static_cast<double>(frame.member_weights[k]));
}

void set_forces(Targets& t, const Place& at, const Coordinates& forces, double weight) {
  t.derivatives = true;
  for (std::int64_t i = 0; i < at.n_atoms; ++i) {
    for (int c = 0; c < 3; ++c) at_row(t.forces, at.first_atom + i)[c] = forces(i, c) - at.baseline(i).force[c];
    *at_row(t.force_weights, at.first_atom + i) = at.share * weight / (3.0 * static_cast<double>(at.n_atoms));
  }
}

void set_stress(Targets& t, const Place& at, Mat3 stress, double volume, double weight) {
  t.derivatives = true;
  for (std::int64_t i = 0; i < at.n_atoms; ++i) stress -= at.baseline(i).virial / volume;
  std::copy(stress.data(), stress.data() + 9, at_row(t.stresses, at.frame));
  *at_row(t.stress_weights, at.frame) = at.share * weight / 9.0;
  *at_row(t.inverse_volumes, at.frame) = 1.0 / volume;
}

Targets targets_of(const MaceModel& model, const Shard& shard, std::span<const TrainingFrame* const> frames,
                   const LossWeights& of_all, std::size_t n_batch) {
  const ModelDescription& d = model.description();
  Targets t = blank_targets(shard.n_frames, shard.n_atoms, d.n_members);
  std::int64_t first_atom = 0;
  for (std::int64_t f = 0; f < shard.n_frames; ++f) {
    const TrainingFrame& frame = *frames[static_cast<std::size_t>(f)];
    const Labels& labels = frame.frame.labels;
    const auto n_atoms = static_cast<std::int64_t>(frame.frame.structure.size());
    const Place place{shard, f, first_atom, n_atoms, 1.0 / static_cast<double>(n_batch)};
    const LossWeights weights = weighted(of_all, frame.weights);
    const double volume = shard.volumes[static_cast<std::size_t>(f)];
    *at_row(t.sizes, f) = static_cast<double>(n_atoms);
    if (const auto energy = labels.consistent_energy()) set_energy(t, place, *energy, d, frame, weights.energy);
    if (labels.forces && weights.forces > 0.0) set_forces(t, place, *labels.forces, weights.forces);
    if (labels.stress && weights.stress > 0.0 && volume > 0.0) set_stress(t, place, *labels.stress, volume, weights.stress);
    first_atom += n_atoms;
  }
  return t;
}

/// x where `delta` is 0, else the smooth Huber function 2δ²(√(1 + x/δ²) − 1) of a squared residual x.
at::Tensor robust(const at::Tensor& squared, double delta) {
  if (delta <= 0.0) return squared;
  return (at::sqrt(squared / (delta * delta) + 1.0) - 1.0) * (2.0 * delta * delta);
}

at::Tensor energy_loss(const Targets& t, const at::Tensor& members, double delta) {
  const at::Tensor mean = (members.mean(1, true) - t.energies) / t.sizes;
  const at::Tensor each = (members - t.energies) / t.sizes;
  return (robust(mean * mean, delta) * t.energy_weights).sum() + (robust(each * each, delta) * t.member_weights).sum();
}

at::Tensor derivative_loss(const Targets& t, const Shard& shard, const at::Tensor& derivatives, const LossWeights& weights) {
  const at::Tensor wide = derivatives.to(at::kDouble);
  const at::Tensor by_force = wide.narrow(0, 0, shard.n_atoms) - t.forces;
  const at::Tensor strain = wide.narrow(0, shard.n_atoms, 3 * shard.n_frames).view({shard.n_frames, 3, 3});
  const at::Tensor by_stress = (strain + strain.transpose(1, 2)) * t.inverse_volumes * 0.5 - t.stresses;
  return (robust((by_force * by_force).sum(1), weights.force_delta) * t.force_weights).sum() +
         (robust((by_stress * by_stress).sum({1, 2}, true), weights.stress_delta) * t.stress_weights).sum();
}

}  // namespace

ShardLoss shard_loss(const MaceModel& model, AppliedWeights& weights, const ShardPointer& shard,
                     std::span<const TrainingFrame* const> frames, const LossWeights& loss_weights,
                     std::size_t n_batch) {
  const at::AutoGradMode mode(true);
  const Targets targets = targets_of(model, *shard, frames, loss_weights, n_batch);
  const bool differentiate = targets.derivatives && shard->n_edges > 0;
  const at::Tensor radial = shard->radial.detach().requires_grad_(differentiate);
  const at::Tensor harmonics = shard->harmonics.detach().requires_grad_(differentiate);
  const at::Tensor atoms = model.atom_energies(shard, weights, radial, harmonics);
  const at::Tensor members = at::zeros({shard->n_frames, atoms.size(1)}, at::kDouble)
                                 .index_add(0, shard->frame_index, atoms.to(at::kDouble));
  at::Tensor loss = energy_loss(targets, members, loss_weights.energy_delta);
  if (differentiate) {
    const auto gradients = torch::autograd::grad({atoms.mean(1).sum()}, {radial, harmonics}, {}, true, true);
    const at::Tensor derivatives = forces_and_virials(shard, gradients[0], gradients[1]);
    loss = loss + derivative_loss(targets, *shard, derivatives, loss_weights);
  }
  ShardLoss result;
  result.value = loss.item<double>();
  result.gradients = torch::autograd::grad({loss}, weights.flat(), {}, false, false, true);
  return result;
}

}  // namespace tamiz::torch_engine
