#include "tamiz/potentials/engine/mace/tangent_model.hpp"

#include "tamiz/core/base/parallel.hpp"

namespace tamiz::mace {
namespace {

/// Cuts the blocks of a set into runs of about as many edges each: part p is [ends[p], ends[p + 1]).
template <typename Real>
std::vector<std::size_t> cut(const AtomSet<Real>& atoms) {
  std::vector<std::size_t> ends{0};
  const double share = static_cast<double>(atoms.n_slots() + atoms.size()) / static_cast<double>(k_gradient_parts);
  double sum = 0.0;
  for (std::size_t k = 0; k < atoms.n_blocks(); ++k) {
    for (const std::int32_t atom : atoms.block(k).atoms) sum += 1.0 + static_cast<double>(atoms.n_edges(static_cast<std::size_t>(atom)));
    if (sum >= share * static_cast<double>(ends.size()) && ends.size() < k_gradient_parts) ends.push_back(k + 1);
  }
  while (ends.size() <= k_gradient_parts) ends.push_back(atoms.n_blocks());
  return ends;
}

}  // namespace

template <typename Real>
void add_weight_gradient(const FusedModel<Real>& model, Workspace<Real>& space, const Direction& direction, int threads,
                         std::span<WeightGradients<Real>> parts) {
  const AtomSet<Real>& atoms = space.atoms;
  const KeptRows values = model.kept({.derivatives = true, .members = true, .keep = true});
  const KeptRows tangents = TangentPass<Real>::kept(values);
  model.reserve(space.tangents, tangents, atoms.size());
  space.edge_tangents.reserve(atoms.n_slots() * static_cast<std::size_t>(atoms.n_rows()));
  const std::vector<std::size_t> ends = cut(atoms);
  const auto over_parts = [&](const auto& pass) {
    parallel_for(k_gradient_parts, threads, [&](std::size_t p) {
      const auto scratch = model.scratch().take();
      for (std::size_t k = ends[p]; k < ends[p + 1]; ++k) {
        TangentPass<Real> block(model, space, *scratch, atoms.block(k), values, tangents, direction);
        pass(block, parts[p]);
      }
    });
  };
  using Pass = TangentPass<Real>;
  using Sums = WeightGradients<Real>;
  const std::size_t last = model.weights().layers().size() - 1;
  for (std::size_t t = 0; t < last; ++t) over_parts([&](Pass& block, Sums&) { block.forward(t); });
  over_parts([&](Pass& block, Sums& sums) {
    block.forward(last);
    block.to_sums(last, sums);
  });
  for (std::size_t t = last; t > 0; --t)
    over_parts([&](Pass& block, Sums& sums) {
      block.to_features(t, sums);
      block.to_sums(t - 1, sums);
    });
  over_parts([&](Pass& block, Sums& sums) { block.to_features(0, sums); });
}

template void add_weight_gradient(const FusedModel<float>&, Workspace<float>&, const Direction&, int,
                                  std::span<WeightGradients<float>>);
template void add_weight_gradient(const FusedModel<double>&, Workspace<double>&, const Direction&, int,
                                  std::span<WeightGradients<double>>);

}  // namespace tamiz::mace
