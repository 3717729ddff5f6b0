#include "tamiz/potentials/engine/mace/tangent_model.hpp"

#include <algorithm>
#include <bit>

#include "tamiz/core/base/parallel.hpp"

namespace tamiz::mace {
namespace {

/// Blocks of a part: enough to make up for clearing and adding its sums.
constexpr std::size_t k_blocks_per_part = 4;

/// Cuts the blocks of a set into runs of about as many edges each: part p is [ends[p], ends[p + 1]). Their number is a
/// power of two, of which two, four or eight threads get as many each.
template <typename Real>
std::vector<std::size_t> cut(const AtomSet<Real>& atoms) {
  const std::size_t n_parts = std::clamp<std::size_t>(std::bit_ceil(atoms.n_blocks() / k_blocks_per_part), 2, k_most_parts);
  const double share = static_cast<double>(atoms.n_slots() + atoms.size()) / static_cast<double>(n_parts);
  std::vector<std::size_t> ends{0};
  double sum = 0.0;
  for (std::size_t k = 0; k < atoms.n_blocks(); ++k) {
    for (const std::int32_t atom : atoms.block(k).atoms)
      sum += 1.0 + static_cast<double>(atoms.n_edges(static_cast<std::size_t>(atom)));
    if (sum >= share * static_cast<double>(ends.size()) && ends.size() < n_parts) ends.push_back(k + 1);
  }
  while (ends.size() <= n_parts) ends.push_back(atoms.n_blocks());
  return ends;
}

/// Calls over(pass) for the passes of TangentPass one after the other, each over all blocks.
template <typename Real, typename Over>
void walk(std::size_t n_layers, const Over& over) {
  using Pass = TangentPass<Real>;
  using Sums = WeightGradients<Real>;
  const std::size_t last = n_layers - 1;
  for (std::size_t t = 0; t < last; ++t) over([t](Pass& block, Sums*) { block.forward(t); });
  over([last](Pass& block, Sums* sums) {
    block.forward(last);
    block.to_sums(last, sums);
  });
  for (std::size_t t = last; t > 0; --t)
    over([t](Pass& block, Sums* sums) {
      block.to_features(t, sums);
      block.to_sums(t - 1, sums);
    });
  over([](Pass& block, Sums* sums) { block.to_features(0, sums); });
}

/// The rows that passes keep, with memory for those of the tangents.
template <typename Real>
struct Keeping {
  KeptRows values, tangents;

  Keeping(const FusedModel<Real>& model, Workspace<Real>& space)
      : values(model.kept({.derivatives = true, .members = true, .keep = true})),
        tangents(TangentPass<Real>::kept(values)) {
    model.reserve(space.tangents, tangents, space.atoms);
    space.edge_tangents.reserve(space.atoms.n_slots() * static_cast<std::size_t>(space.atoms.n_rows()));
  }
};

}  // namespace

template <typename Real>
void add_weight_gradient(const FusedModel<Real>& model, Workspace<Real>& space, const Direction& direction, int threads,
                         std::span<WeightGradients<Real>> parts) {
  const Keeping<Real> kept(model, space);
  const std::vector<std::size_t> ends = cut(space.atoms);
  walk<Real>(model.weights().layers().size(), [&](const auto& pass) {
    parallel_for(ends.size() - 1, threads, [&](std::size_t p) {
      const auto scratch = model.scratch().take();
      for (std::size_t k = ends[p]; k < ends[p + 1]; ++k) {
        TangentPass<Real> block(model, space, *scratch, space.atoms.block(k), kept.values, kept.tangents, direction,
                                false);
        pass(block, &parts[p]);
      }
    });
  });
}

template <typename Real>
void find_vector_tangents(const FusedModel<Real>& model, Workspace<Real>& space, const Direction& direction,
                          int threads) {
  const Keeping<Real> kept(model, space);
  space.d_vector_tangents.assign_zero(3 * space.atoms.n_slots());
  walk<Real>(model.weights().layers().size(), [&](const auto& pass) {
    parallel_for(space.atoms.n_blocks(), threads, [&](std::size_t k) {
      const auto scratch = model.scratch().take();
      TangentPass<Real> block(model, space, *scratch, space.atoms.block(k), kept.values, kept.tangents, direction,
                              true);
      pass(block, nullptr);
    });
  });
}

template void find_vector_tangents(const FusedModel<float>&, Workspace<float>&, const Direction&, int);
template void find_vector_tangents(const FusedModel<double>&, Workspace<double>&, const Direction&, int);
template void add_weight_gradient(const FusedModel<float>&, Workspace<float>&, const Direction&, int,
                                  std::span<WeightGradients<float>>);
template void add_weight_gradient(const FusedModel<double>&, Workspace<double>&, const Direction&, int,
                                  std::span<WeightGradients<double>>);

}  // namespace tamiz::mace
