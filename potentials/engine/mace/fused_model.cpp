#include "tamiz/potentials/engine/mace/fused_model.hpp"

#include <cmath>
#include <cstdlib>

#include "tamiz/core/base/parallel.hpp"
#include "tamiz/potentials/engine/equivariance/spherical_harmonics.hpp"
#include "tamiz/potentials/engine/mace/block_pass.hpp"

namespace tamiz::mace {

template <typename Real>
FusedModel<Real>::FusedModel(const ModelFile& model) : weights_(model) {
  for (int l = 0; l <= model.description.l_max; ++l)
    for (int m = -l; m <= l; ++m) {
      double square = (2.0 * l + 1.0) * (m == 0 ? 1.0 : 2.0);
      for (int k = l - std::abs(m) + 1; k <= l + std::abs(m); ++k) square /= k;
      prefactors_.push_back(static_cast<Real>(std::sqrt(square)));
    }
}

template <typename Real>
void FusedModel<Real>::write_harmonics(AtomSet<Real>& atoms, std::size_t atom, AlignedBuffer<Real>* gradients) const {
  const int l_max = weights_.description().l_max;
  const std::size_t lanes = AtomSet<Real>::k_lanes, groups = (atoms.n_edges(atom) + lanes - 1) / lanes;
  if (groups == 0) return;
  if (gradients != nullptr) gradients->reserve(groups * 3 * static_cast<std::size_t>(n_harmonics(l_max)) * lanes);
  kernels::fused_table<Real>().harmonics({static_cast<std::int64_t>(groups), l_max, atoms.n_rows(), prefactors_.data(),
                                          atoms.group(atoms.first(atom)),
                                          gradients == nullptr ? nullptr : gradients->data()});
}

template <typename Real>
std::size_t FusedModel<Real>::feature_stride(std::size_t t) const {
  const auto& layers = weights_.layers();
  const int l = t < layers.size() ? layers[t].shape.input_l : 0;
  return odd_lines<Real>(static_cast<std::size_t>(n_harmonics(l) * weights_.channels()));
}

template <typename Real>
void FusedModel<Real>::prepare(Workspace<Real>& space, const Request& request) const {
  const auto& layers = weights_.layers();
  const AtomSet<Real>& atoms = space.atoms;
  const std::size_t n = atoms.size();
  space.layers.resize(layers.size() + 1);
  for (std::size_t t = 0; t <= layers.size(); ++t) {
    typename Workspace<Real>::Layer& layer = space.layers[t];
    if (t > 0) layer.features.reserve(n * feature_stride(t));
    if (t > 0 && request.derivatives) layer.d_features.reserve(n * feature_stride(t));
    if (t == layers.size()) break;
    if (t > 0) layer.up.reserve(n * feature_stride(t));
    if (t > 0 && request.derivatives) layer.d_sum.reserve(n * odd_lines<Real>(layers[t].convolution.sum_size));
    if (weights_.radial().kind() == RadialReading::Kind::fine) find_fine_tables(space, t);
    if (layers[t].shape.density) layer.density.resize(n);
    if (t + 1 < layers.size())
      layer.message.reserve(n * static_cast<std::size_t>(layers[t].contraction.n_inputs * weights_.channels()));
  }
  space.energies.assign(n, 0.0);
  if (request.members) space.members.assign(n * static_cast<std::size_t>(weights_.description().n_members), 0.0);
  if (request.derivatives) space.d_vectors.assign_zero(3 * atoms.n_slots());
  space.first_features.assign(weights_.description().elements.size(), nullptr);
  for (std::size_t k = 0; k < atoms.n_blocks(); ++k) {
    const auto z = static_cast<std::size_t>(atoms.block(k).element);
    space.first_features[z] = weights_.element(z).features.data();
  }
}

template <typename Real>
void FusedModel<Real>::find_fine_tables(Workspace<Real>& space, std::size_t t) const {
  const AtomSet<Real>& atoms = space.atoms;
  const RadialReading& reading = weights_.radial();
  auto& found = space.layers[t].fine;
  found.assign(static_cast<std::size_t>(reading.input().n_tables()), nullptr);
  std::vector<int> elements;  // blocks are sorted by them
  for (std::size_t k = 0; k < atoms.n_blocks(); ++k)
    if (elements.empty() || elements.back() != atoms.block(k).element) elements.push_back(atoms.block(k).element);
  for (const int a : elements)
    for (const int b : elements) {
      const std::size_t table = reading.input().table_of(a, b);
      if (found[table] == nullptr) found[table] = weights_.layers()[t].radial.fine(reading, table);
    }
}

template <typename Real>
void FusedModel<Real>::evaluate(Workspace<Real>& space, const Request& request, int threads) const {
  prepare(space, request);
  const auto over_blocks = [&](const auto& pass) {
    parallel_for(space.atoms.n_blocks(), threads, [&](std::size_t k) {
      const auto scratch = scratch_.take();
      BlockPass block(*this, space, *scratch, space.atoms.block(k));
      pass(block);
    });
  };
  const std::size_t n = weights_.layers().size();
  parallel_for(space.atoms.n_blocks(), threads, [&](std::size_t k) {
    for (const std::int32_t atom : space.atoms.block(k).atoms)
      write_harmonics(space.atoms, static_cast<std::size_t>(atom), nullptr);
  });
  for (std::size_t t = 0; t < n; ++t) over_blocks([&](BlockPass& block) { block.forward(t, request); });
  if (!request.derivatives) return;
  for (std::size_t t = n - 1; t > 0; --t) over_blocks([&](BlockPass& block) { block.backward(t); });
}

template class FusedModel<float>;
template class FusedModel<double>;

}  // namespace tamiz::mace
