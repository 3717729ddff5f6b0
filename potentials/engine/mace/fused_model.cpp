#include "tamiz/potentials/engine/mace/fused_model.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <initializer_list>
#include <set>
#include <vector>

#include "tamiz/core/base/parallel.hpp"
#include "tamiz/potentials/engine/equivariance/spherical_harmonics.hpp"
#include "tamiz/potentials/engine/mace/block_pass.hpp"

namespace tamiz::mace {

namespace {

/// Radial tables of the pairs of elements that there are among the edges: a batch of many small crystals has many elements, and few of them
/// meet. In one large structure most do, and the walk ends with the first atoms.
template <typename Real>
std::vector<std::size_t> tables_that_meet(const RadialInput& input, const AtomSet<Real>& atoms) {
  std::set<int> elements;
  for (std::size_t k = 0; k < atoms.n_blocks(); ++k) elements.insert(atoms.block(k).element);
  std::set<std::size_t> possible;
  for (const int a : elements)
    for (const int b : elements) possible.insert(input.table_of(a, b));
  std::vector<bool> seen(static_cast<std::size_t>(input.n_tables()), false);
  std::vector<std::size_t> met;
  for (std::size_t atom = 0; atom < atoms.size() && met.size() < possible.size(); ++atom)
    for (std::size_t slot = atoms.first(atom); slot < atoms.first(atom) + atoms.n_edges(atom); ++slot) {
      const std::size_t table = input.table_of(atoms.element(atom), atoms.element(atoms.neighbor(slot)));
      if (seen[table]) continue;
      seen[table] = true;
      met.push_back(table);
    }
  return met;
}

}  // namespace

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
KeptRows FusedModel<Real>::kept(const Request& request, bool in_slabs) const {
  const std::size_t n = weights_.layers().size();
  KeptRows kept(n + 1);
  const auto keep = [&](std::size_t t, Row kind, bool is) {
    kept[t][static_cast<std::size_t>(kind)] = is ? Keep::all : Keep::none;
  };
  for (std::size_t t = 0; t <= n; ++t) {
    kept[t].fill(request.keep && t < n ? Keep::all : Keep::none);
    // Layer 0 takes constants; what leaves it is read by all that come behind.
    keep(t, Row::features, t > 0);
    keep(t, Row::d_features, t > 0 && request.derivatives);
    keep(t, Row::up, t > 0 && t < n);
    if (request.keep || t == n) continue;
    keep(t, Row::message, t + 1 < n && !in_slabs && request.derivatives);
    keep(t, Row::d_sum, t > 0 && request.derivatives);
    if (in_slabs && t + 1 == n) kept[t][static_cast<std::size_t>(Row::d_sum)] = Keep::slabs;
  }
  return kept;
}

template <typename Real>
void FusedModel<Real>::reserve(std::vector<typename Workspace<Real>::Layer>& layers, const KeptRows& kept,
                               const AtomSet<Real>& atoms) const {
  layers.resize(kept.size());
  for (std::size_t t = 0; t < kept.size(); ++t) {
    for (std::size_t kind = 0; kind < k_row_kinds; ++kind)
      if (kept[t][kind] != Keep::none)
        layers[t].rows[kind].reserve((kept[t][kind] == Keep::all ? atoms.size() : atoms.n_places()) * strides_[t][kind]);
    if (t < weights_.layers().size() && weights_.layers()[t].shape.density) layers[t].density.resize(atoms.size());
  }
}

template <typename Real>
double FusedModel<Real>::bytes(const Request& request, std::size_t n_atoms, std::size_t n_slots, std::size_t n_places) const {
  const auto rows_of_edge = static_cast<std::size_t>(kernels::edge_rows::k_harmonics + n_harmonics(weights_.description().l_max));
  const std::size_t of_slot = (rows_of_edge + 3) * sizeof(Real) + 3 * sizeof(double) + 3 * sizeof(std::int32_t);
  auto bytes = static_cast<double>(n_slots * of_slot);
  const KeptRows rows = kept(request, n_places > 0);
  for (std::size_t t = 0; t < rows.size(); ++t)
    for (std::size_t kind = 0; kind < k_row_kinds; ++kind)
      if (rows[t][kind] != Keep::none)
        bytes += static_cast<double>((rows[t][kind] == Keep::all ? n_atoms : n_places) * strides_[t][kind] * sizeof(Real));
  return request.keep ? 2.0 * bytes : bytes;  // a second pass has a tangent beside every number
}

template <typename Real>
void FusedModel<Real>::prepare(Workspace<Real>& space, const Request& request) const {
  const AtomSet<Real>& atoms = space.atoms;
  const std::size_t n = atoms.size();
  space.fine.resize(weights_.layers().size());
  if (weights_.radial().kind() == RadialReading::Kind::fine) find_fine_tables(space);
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
void FusedModel<Real>::find_fine_tables(Workspace<Real>& space) const {
  const RadialReading& reading = weights_.radial();
  const std::vector<std::size_t> tables = tables_that_meet(reading.input(), space.atoms);
  for (std::size_t t = 0; t < weights_.layers().size(); ++t) {
    auto& found = space.fine[t];
    found.assign(static_cast<std::size_t>(reading.input().n_tables()), nullptr);
    for (const std::size_t table : tables) found[table] = weights_.layers()[t].radial.fine(reading, table);
  }
}

template <typename Real>
void FusedModel<Real>::evaluate(Workspace<Real>& space, const Request& request, int threads) const {
  prepare(space, request);
  const std::size_t n = weights_.layers().size(), n_blocks = space.atoms.n_blocks();
  const bool in_slabs = space.atoms.n_slabs() > 0 && request.derivatives && !request.keep && n > 1;
  const KeptRows rows = kept(request, in_slabs);
  reserve(space.layers, rows, space.atoms);
  const auto over_blocks = [&](std::size_t begin, std::size_t end, const auto& pass) {
    parallel_for(end - begin, threads, [&](std::size_t k) {
      const auto scratch = scratch_.take();
      BlockPass<Real> block(*this, space, *scratch, space.atoms.block(begin + k), rows);
      pass(block);
    });
  };
  const auto forward = [&](std::size_t t) { return [&request, t](BlockPass<Real>& block) { block.forward(t, request); }; };
  const auto backward = [&](std::size_t t) { return [t](BlockPass<Real>& block) { block.backward(t); }; };
  const std::size_t apart = in_slabs ? n - 1 : n;
  for (std::size_t t = 0; t < apart; ++t) over_blocks(0, n_blocks, forward(t));
  const auto over_slab = [&](std::size_t slab, const auto& pass) {
    over_blocks(space.atoms.first_block(slab), space.atoms.first_block(slab + 1), pass);
  };
  if (in_slabs)
    over_slabs(space.atoms.n_slabs(), [&](std::size_t slab) { over_slab(slab, forward(n - 1)); },
               [&](std::size_t slab) { over_slab(slab, backward(n - 1)); });
  if (!request.derivatives) return;
  for (std::size_t t = apart - 1; t > 0; --t) over_blocks(0, n_blocks, backward(t));
}

template <typename Real>
template <typename Forth, typename Back>
void FusedModel<Real>::over_slabs(std::size_t n, const Forth& forth, const Back& back) {
  for (std::size_t slab = 0; slab < n; ++slab) {
    forth(slab);
    if (slab >= 2) back(slab - 1);
  }
  back(n - 1);
  back(0);
}

template class FusedModel<float>;
template class FusedModel<double>;

}  // namespace tamiz::mace
