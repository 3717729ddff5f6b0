#include "tamiz/potentials/engine/mace/fused_model.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <initializer_list>

#include "tamiz/core/base/parallel.hpp"
#include "tamiz/potentials/engine/equivariance/spherical_harmonics.hpp"
#include "tamiz/potentials/engine/mace/block_pass.hpp"

namespace tamiz::mace {

template <typename Real>
FusedModel<Real>::FusedModel(const ModelFile& model, Use use) : weights_(model, use) {
  for (int l = 0; l <= model.description.l_max; ++l)
    for (int m = -l; m <= l; ++m) {
      double square = (2.0 * l + 1.0) * (m == 0 ? 1.0 : 2.0);
      for (int k = l - std::abs(m) + 1; k <= l + std::abs(m); ++k) square /= k;
      prefactors_.push_back(static_cast<Real>(std::sqrt(square)));
    }
  find_strides();
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
void FusedModel<Real>::find_strides() {
  const auto& layers = weights_.layers();
  const auto channels = static_cast<std::size_t>(weights_.channels());
  strides_.resize(layers.size() + 1);
  const auto set = [&](std::size_t t, std::initializer_list<Row> kinds, std::size_t size) {
    for (const Row kind : kinds) strides_[t][static_cast<std::size_t>(kind)] = odd_lines<Real>(size);
  };
  for (std::size_t t = 0; t <= layers.size(); ++t) {
    const int l = t < layers.size() ? layers[t].shape.input_l : 0;
    set(t, {Row::features, Row::up, Row::d_features, Row::d_up}, static_cast<std::size_t>(n_harmonics(l)) * channels);
    if (t == layers.size()) break;
    set(t, {Row::sum, Row::d_sum}, layers[t].convolution.sum_size);
    set(t, {Row::message, Row::d_message}, static_cast<std::size_t>(layers[t].contraction.n_inputs) * channels);
    set(t, {Row::contracted, Row::d_contracted}, static_cast<std::size_t>(layers[t].contraction.n_outputs) * channels);
  }
}

template <typename Real>
std::size_t FusedModel<Real>::largest_stride(Row kind) const {
  std::size_t largest = 0;
  for (const auto& strides : strides_) largest = std::max(largest, strides[static_cast<std::size_t>(kind)]);
  return largest;
}

template <typename Real>
KeptRows FusedModel<Real>::kept(const Request& request) const {
  const std::size_t n = weights_.layers().size();
  KeptRows kept(n + 1);
  const auto keep = [&](std::size_t t, Row kind, bool is) { kept[t][static_cast<std::size_t>(kind)] = is; };
  for (std::size_t t = 0; t <= n; ++t) {
    kept[t].fill(request.keep && t < n);
    // Layer 0 takes constants; what leaves it is read by all that come behind.
    keep(t, Row::features, t > 0);
    keep(t, Row::d_features, t > 0 && request.derivatives);
    keep(t, Row::up, t > 0 && t < n);
    if (request.keep || t == n) continue;
    keep(t, Row::message, t + 1 < n);
    keep(t, Row::d_sum, t > 0 && request.derivatives);
  }
  return kept;
}

template <typename Real>
void FusedModel<Real>::reserve(std::vector<typename Workspace<Real>::Layer>& layers, const KeptRows& kept,
                               std::size_t n_atoms) const {
  layers.resize(kept.size());
  for (std::size_t t = 0; t < kept.size(); ++t) {
    for (std::size_t kind = 0; kind < k_row_kinds; ++kind)
      if (kept[t][kind]) layers[t].rows[kind].reserve(n_atoms * strides_[t][kind]);
    if (t < weights_.layers().size() && weights_.layers()[t].shape.density) layers[t].density.resize(n_atoms);
  }
}

template <typename Real>
void FusedModel<Real>::prepare(Workspace<Real>& space, const Request& request) const {
  const AtomSet<Real>& atoms = space.atoms;
  const std::size_t n = atoms.size();
  space.fine.resize(weights_.layers().size());
  if (weights_.radial().kind() == RadialReading::Kind::fine)
    for (std::size_t t = 0; t < weights_.layers().size(); ++t) find_fine_tables(space, t);
  space.radial.resize(request.keep && weights_.radial().kind() == RadialReading::Kind::exact ? weights_.layers().size() : 0);
  for (auto& blocks : space.radial) {
    blocks.resize(std::max(blocks.size(), atoms.n_blocks()));
    for (auto& block : blocks) block.made = false;
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
  auto& found = space.fine[t];
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
  const KeptRows rows = kept(request);
  reserve(space.layers, rows, space.atoms.size());
  const auto over_blocks = [&](const auto& pass) {
    parallel_for(space.atoms.n_blocks(), threads, [&](std::size_t k) {
      const auto scratch = scratch_.take();
      BlockPass<Real> block(*this, space, *scratch, space.atoms.block(k), rows);
      pass(block);
    });
  };
  const std::size_t n = weights_.layers().size();
  for (std::size_t t = 0; t < n; ++t) over_blocks([&](BlockPass<Real>& block) { block.forward(t, request); });
  if (!request.derivatives) return;
  for (std::size_t t = n - 1; t > 0; --t) over_blocks([&](BlockPass<Real>& block) { block.backward(t); });
}

template class FusedModel<float>;
template class FusedModel<double>;

}  // namespace tamiz::mace
