#include "tamiz/potentials/torch/torch_potential.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/sum.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/parallel.hpp"
#include "tamiz/potentials/engine/blank_prediction.hpp"
#include "tamiz/potentials/engine/edge_list.hpp"
#include "tamiz/potentials/engine/stress.hpp"
#include "tamiz/potentials/torch/parameters.hpp"
#include "tamiz/potentials/torch/threads.hpp"

namespace tamiz::torch_engine {
namespace {

/// Pairs per shard: enough to hide the cost of a tensor operation, few enough to stay in the cache.
constexpr std::size_t k_pairs_per_shard = 4096;
/// The same for a device that is fed with one shard after the other.
constexpr std::size_t k_pairs_per_device_shard = 262144;

/// Structure numbers at which shards begin, and the end.
std::vector<std::size_t> cut(const Batch& batch, const NeighborList& neighbors, std::size_t target) {
  std::vector<std::size_t> cuts{0};
  std::size_t begun = 0;
  for (std::size_t s = 0; s < batch.n_structures(); ++s) {
    const std::size_t end = neighbors.first()[batch.offsets()[s + 1]];
    if (end - begun < target && s + 1 < batch.n_structures()) continue;
    cuts.push_back(s + 1);
    begun = end;
  }
  return cuts;
}

/// Total energies of the members from interaction energies per atom; spread scaled by the calibration.
Eigen::RowVectorXd member_totals(const Eigen::MatrixXd& atoms, double mean, double spread) {
  const Eigen::RowVectorXd sums = atoms.colwise().sum();
  return (sums.array() - sums.mean()) * spread + mean;
}

Eigen::MatrixXd to_eigen(const at::Tensor& tensor) {
  const at::Tensor wide = tensor.detach().to(at::kCPU).to(at::kDouble).contiguous();  // not every device has float64
  using Rows = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const Rows>(wide.const_data_ptr<double>(), wide.size(0), wide.size(1));
}

/// Energies of the structures of a shard, the first of them `first` of the batch, from interaction energies (n_atoms, n_members).
void set_energies(const Batch& batch, std::size_t first, const Shard& shard, const ModelDescription& d, const Eigen::MatrixXd& members,
                  const Outputs& outputs, Prediction& prediction) {
  Eigen::Index row = 0;
  for (std::size_t s = first; s < first + static_cast<std::size_t>(shard.n_frames); ++s) {
    const auto n = static_cast<Eigen::Index>(batch.n_atoms(s)), k = static_cast<Eigen::Index>(s);
    const auto first_atom = static_cast<Eigen::Index>(batch.offsets()[s]);
    double total = 0.0;
    for (Eigen::Index i = 0; i < n; ++i) {
      const auto a = static_cast<std::size_t>(row + i);
      const double reference = d.atomic_energies[static_cast<std::size_t>(shard.elements[a])];
      const double atom = reference + members.row(row + i).mean() + shard.baseline[a].energy;
      if (outputs.atom_energies) prediction.atom_energies[first_atom + i] = atom;
      total += atom;
    }
    prediction.energies[k] = total;
    if (outputs.members) prediction.member_energies.row(k) = member_totals(members.middleRows(row, n), total, d.uncertainty_scale);
    row += n;
  }
}

/// Forces on the atoms and below them the virials of the structures, (n_atoms + 3 n_frames, 3), of the mean of the members.
Eigen::MatrixXd derivatives_of(const at::Tensor& energies, const ShardPointer& shard, const at::Tensor& radial,
                               const at::Tensor& harmonics) {
  if (shard->n_edges == 0) return Eigen::MatrixXd::Zero(shard->n_atoms + 3 * shard->n_frames, 3);
  const auto gradients = torch::autograd::grad({energies.mean(1).sum()}, {radial, harmonics});
  const at::NoGradGuard no_gradient;
  Eigen::MatrixXd derivatives = to_eigen(forces_and_virials(shard, gradients[0], gradients[1]));
  for (std::size_t i = 0; i < shard->baseline.size(); ++i) {
    derivatives.row(static_cast<Eigen::Index>(i)) += shard->baseline[i].force.transpose();
    derivatives.middleRows(shard->n_atoms + 3 * shard->frames[i], 3) += shard->baseline[i].virial;
  }
  return derivatives;
}

void set_stresses(std::size_t first, const Shard& shard, const Eigen::MatrixXd& derivatives, Prediction& prediction) {
  for (std::int64_t f = 0; f < shard.n_frames; ++f) {
    const auto s = first + static_cast<std::size_t>(f);
    prediction.stresses[s] = stress_of(derivatives.middleRows(shard.n_atoms + 3 * f, 3), shard.volumes[static_cast<std::size_t>(f)]);
  }
}

}  // namespace

TorchPotential::TorchPotential(const ModelFile& model, const LoadOptions& options)
    : threads_(options.threads > 0 ? options.threads : available_threads()),
      model_(model.description, dtype_of(options.dtype), placement_on(options.device)),
      edges_(model.description) {
  const auto name = model.card.entries.find("name");
  name_ = name != model.card.entries.end() ? name->second : "mace";
  const SingleThreadScope scope;
  const at::NoGradGuard no_gradient;
  // The weights are prepared on the CPU and in float64, wherever and in whatever dtype they are used.
  const MaceModel wide(model.description, at::kDouble);
  const auto stored = parameter_tensors(wide, flat_parameters(model), at::kDouble);
  weights_ = wide.apply(stored);
  weights_.visit([&](at::Tensor& tensor) { tensor = tensor.to(model_.dtype()).to(model_.placement().device).contiguous(); });
}

Capabilities TorchPotential::capabilities() const {
  Capabilities capabilities;
  capabilities.n_members = offered_members(model_.description());
  capabilities.n_descriptors = model_.description().n_interactions * model_.description().channels;
  capabilities.elements = model_.description().elements;
  return capabilities;
}

void TorchPotential::evaluate_shard(const Batch& batch, const State& state, const NeighborList& neighbors,
                                    std::size_t begin, std::size_t end, const Outputs& outputs,
                                    Prediction& prediction) const {
  std::vector<EdgeList> edges;
  for (std::size_t s = begin; s < end; ++s) edges.push_back(edges_(batch, state, neighbors, s));
  std::vector<const EdgeList*> pointers;
  for (const EdgeList& list : edges) pointers.push_back(&list);
  const ShardPointer shard = model_.shard(pointers);

  const bool differentiate = outputs.forces || outputs.stress;
  const at::AutoGradMode mode(differentiate);
  const at::Tensor radial = shard->radial.detach().requires_grad_(differentiate);
  const at::Tensor harmonics = shard->harmonics.detach().requires_grad_(differentiate);
  at::Tensor invariants;
  const at::Tensor energies =
      model_.atom_energies(shard, weights_, radial, harmonics, outputs.descriptors ? &invariants : nullptr);

  const auto first_atom = static_cast<Eigen::Index>(batch.offsets()[begin]);
  if (outputs.descriptors) prediction.descriptors.middleRows(first_atom, shard->n_atoms) = to_eigen(invariants);
  set_energies(batch, begin, *shard, model_.description(), to_eigen(energies), outputs, prediction);
  if (!differentiate) return;
  const Eigen::MatrixXd derivatives = derivatives_of(energies, shard, radial, harmonics);
  if (outputs.forces) prediction.forces.middleRows(first_atom, shard->n_atoms) = derivatives.topRows(shard->n_atoms);
  if (outputs.stress) set_stresses(begin, *shard, derivatives, prediction);
}

Prediction TorchPotential::evaluate(const Batch& batch, const State& state, const NeighborList& neighbors,
                                    const Outputs& outputs) const {
  check_evaluation(*this, batch, state, neighbors, outputs);
  Prediction prediction = blank_prediction(*this, batch, outputs);
  if (batch.n_structures() == 0) return prediction;
  const int threads = model_.placement().kernels ? threads_ : 1;
  const std::size_t share = neighbors.n_pairs() / static_cast<std::size_t>(threads) + 1;
  const auto cuts = cut(batch, neighbors, std::min(share, model_.placement().kernels ? k_pairs_per_shard : k_pairs_per_device_shard));
  parallel_for(cuts.size() - 1, threads, [&](std::size_t k) {
    const SingleThreadScope scope;
    evaluate_shard(batch, state, neighbors, cuts[k], cuts[k + 1], outputs, prediction);
  });
  return prediction;
}

}  // namespace tamiz::torch_engine
