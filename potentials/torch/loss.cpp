#include "tamiz/potentials/torch/loss.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/autograd.h>

namespace tamiz::torch_engine {
namespace {

/// Reference values and their weights in the loss, zero where a frame has no such label.
struct Targets {
  at::Tensor energies, sizes, energy_weights, member_weights;  // float64: (F, 1) and (F, K)
  at::Tensor forces, force_weights;                            // (N, 3), (N)
  at::Tensor stresses, stress_weights, inverse_volumes;        // (F, 3, 3), (F, 1, 1)
  bool derivatives = false;
};

Targets targets_of(const MaceModel& model, const Shard& shard, std::span<const TrainingFrame* const> frames,
                   const LossWeights& weights, std::size_t n_batch) {
  const ModelDescription& d = model.description();
  const std::int64_t n = shard.n_frames;
  Targets t;
  t.energies = at::zeros({n, 1}, at::kDouble);
  t.sizes = at::zeros({n, 1}, at::kDouble);
  t.energy_weights = at::zeros({n, 1}, at::kDouble);
  t.member_weights = at::zeros({n, d.n_members}, at::kDouble);
  t.forces = at::zeros({shard.n_atoms, 3}, at::kDouble);
  t.force_weights = at::zeros({shard.n_atoms}, at::kDouble);
  t.stresses = at::zeros({n, 3, 3}, at::kDouble);
  t.stress_weights = at::zeros({n, 1, 1}, at::kDouble);
  t.inverse_volumes = at::zeros({n, 1, 1}, at::kDouble);
  const auto at_row = [](at::Tensor& tensor, std::int64_t row) {
    return tensor.mutable_data_ptr<double>() + row * (tensor.dim() > 1 ? tensor.stride(0) : 1);
  };
  std::int64_t atom = 0;
  for (std::int64_t f = 0; f < n; ++f) {
    const TrainingFrame& frame = *frames[static_cast<std::size_t>(f)];
    const Labels& labels = frame.frame.labels;
    const auto size = static_cast<std::int64_t>(frame.frame.structure.size());
    const double share = frame.weight / static_cast<double>(n_batch);
    *at_row(t.sizes, f) = static_cast<double>(size);
    if (const auto energy = labels.consistent_energy()) {
      double reference = 0.0;
      for (std::int64_t i = 0; i < size; ++i) {
        const auto a = static_cast<std::size_t>(atom + i);
        reference += d.atomic_energies[static_cast<std::size_t>(shard.elements[a])] + shard.repulsion[a].energy;
      }
      *at_row(t.energies, f) = *energy - reference;
      *at_row(t.energy_weights, f) = share * weights.energy;
      for (std::size_t k = 0; k < static_cast<std::size_t>(d.n_members); ++k)
        at_row(t.member_weights, f)[k] = share * weights.energy / d.n_members *
                                         (frame.member_weights.empty() ? 1.0 : static_cast<double>(frame.member_weights[k]));
    }
    if (labels.forces && weights.forces > 0.0) {
      t.derivatives = true;
      for (std::int64_t i = 0; i < size; ++i) {
        const Vec3& repulsion = shard.repulsion[static_cast<std::size_t>(atom + i)].force;
        for (int c = 0; c < 3; ++c) at_row(t.forces, atom + i)[c] = (*labels.forces)(i, c) - repulsion[c];
        *at_row(t.force_weights, atom + i) = share * weights.forces / (3.0 * static_cast<double>(size));
      }
    }
    const double volume = shard.volumes[static_cast<std::size_t>(f)];
    if (labels.stress && weights.stress > 0.0 && volume > 0.0) {
      t.derivatives = true;
      Mat3 stress = *labels.stress;
      for (std::int64_t i = 0; i < size; ++i) stress -= shard.repulsion[static_cast<std::size_t>(atom + i)].virial / volume;
      std::copy(stress.data(), stress.data() + 9, at_row(t.stresses, f));
      *at_row(t.stress_weights, f) = share * weights.stress / 9.0;
      *at_row(t.inverse_volumes, f) = 1.0 / volume;
    }
    atom += size;
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

at::Tensor derivative_loss(const Targets& t, const Shard& shard, const at::Tensor& derivatives, double delta) {
  const at::Tensor wide = derivatives.to(at::kDouble);
  const at::Tensor by_force = wide.narrow(0, 0, shard.n_atoms) - t.forces;
  const at::Tensor strain = wide.narrow(0, shard.n_atoms, 3 * shard.n_frames).view({shard.n_frames, 3, 3});
  const at::Tensor by_stress = (strain + strain.transpose(1, 2)) * t.inverse_volumes * 0.5 - t.stresses;
  return (robust((by_force * by_force).sum(1), delta) * t.force_weights).sum() +
         (by_stress * by_stress * t.stress_weights).sum();
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
    loss = loss + derivative_loss(targets, *shard, derivatives, loss_weights.force_delta);
  }
  ShardLoss result;
  result.value = loss.item<double>();
  result.gradients = torch::autograd::grad({loss}, weights.flat(), {}, false, false, true);
  return result;
}

}  // namespace tamiz::torch_engine
