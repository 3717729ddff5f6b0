#include "tamiz/potentials/engine/mace/atom_set.hpp"

#include <algorithm>
#include <cmath>

#include "tamiz/core/base/parallel.hpp"
#include "tamiz/potentials/engine/equivariance/spherical_harmonics.hpp"

namespace tamiz::mace {
namespace {

constexpr std::size_t k_atoms_per_task = 128;

}  // namespace

EdgeRules::EdgeRules(const ModelDescription& description, const RadialReading& reading)
    : cutoff(description.cutoff),
      l_max(description.l_max),
      radial(reading),
      element_index(tamiz::element_index(description)),
      baseline(description) {}

template <typename Real>
void AtomSet<Real>::fill(const EdgeRules& rules, const Batch& batch, const State& state, const NeighborList& neighbors,
                         std::size_t begin, std::size_t end, int threads, bool in_slabs) {
  clear(rules);
  if (in_slabs && end == begin + 1) slabs_ = cut_into_slabs(batch, state, begin, rules.cutoff, k_least_slabs);
  for (std::size_t s = begin; s < end; ++s) add_structure(rules, batch, state, neighbors, s);
  baseline_.assign(size(), {});
  complete(rules, threads);
  if (!rules.baseline.empty()) find_baseline(rules.baseline, threads);
}

template <typename Real>
void AtomSet<Real>::fill(const EdgeRules& rules, std::span<const EdgeList* const> structures, int threads) {
  clear(rules);
  baseline_.clear();
  for (const EdgeList* structure : structures) add_structure(*structure);
  complete(rules, threads);
}

template <typename Real>
void AtomSet<Real>::clear(const EdgeRules& rules) {
  n_rows_ = kernels::edge_rows::k_harmonics + n_harmonics(rules.l_max);
  elements_.clear();
  n_edges_.clear();
  neighbors_.clear();
  vectors_.clear();
  slabs_ = {};
  first_.assign(1, 0);
}

template <typename Real>
template <typename Use>
void AtomSet<Real>::over_atoms(int threads, const Use& use) const {
  parallel_for((size() + k_atoms_per_task - 1) / k_atoms_per_task, threads, [&](std::size_t task) {
    use(task * k_atoms_per_task, std::min((task + 1) * k_atoms_per_task, size()));
  });
}

template <typename Real>
void AtomSet<Real>::complete(const EdgeRules& rules, int threads) {
  table_rows_.assign(n_slots(), 0);
  edges_.reserve(n_slots() * static_cast<std::size_t>(n_rows_));
  over_atoms(threads, [&](std::size_t begin, std::size_t end) {
    // Slots that no edge takes are read too.
    std::fill(group(first_[begin]), group(first_[end]), Real(0));
    for (std::size_t atom = begin; atom < end; ++atom)
      for (std::size_t slot = first_[atom]; slot < first_[atom] + n_edges_[atom]; ++slot) write_edge(rules, atom, slot);
  });
  find_reverse();
  make_blocks(rules.element_index.size());
}

/// Behind the last of its edges.
template <typename Real>
void AtomSet<Real>::end_atom() {
  n_edges_.push_back(neighbors_.size() - first_.back());
  first_.push_back((neighbors_.size() + k_lanes - 1) / k_lanes * k_lanes);
  neighbors_.resize(first_.back(), 0);
  vectors_.resize(3 * first_.back(), 0.0);
}

template <typename Real>
void AtomSet<Real>::add_structure(const EdgeRules& rules, const Batch& batch, const State& state,
                                  const NeighborList& neighbors, std::size_t s) {
  const std::size_t begin = batch.offsets()[s], end = batch.offsets()[s + 1];
  const auto shift = static_cast<std::int32_t>(size()) - static_cast<std::int32_t>(begin);
  for (const Element element : batch.species(s))
    elements_.push_back(rules.element_index[static_cast<std::size_t>(element.number())]);
  for (std::size_t i = begin; i < end; ++i) {
    for_each_edge(batch, state, neighbors, i, rules.cutoff, [&](std::int32_t j, const Vec3& vector) {
      neighbors_.push_back(j + shift);
      vectors_.insert(vectors_.end(), vector.data(), vector.data() + 3);
    });
    end_atom();
  }
}

template <typename Real>
void AtomSet<Real>::add_structure(const EdgeList& edges) {
  const auto shift = static_cast<std::int32_t>(size());
  elements_.insert(elements_.end(), edges.elements.begin(), edges.elements.end());
  baseline_.insert(baseline_.end(), edges.baseline.begin(), edges.baseline.end());
  for (std::size_t i = 0; i < edges.n_atoms(); ++i) {
    for (auto e = static_cast<std::size_t>(edges.first[i]); e < static_cast<std::size_t>(edges.first[i + 1]); ++e)
      neighbors_.push_back(edges.neighbors[e] + shift);
    vectors_.insert(vectors_.end(), edges.vectors.begin() + 3 * edges.first[i], edges.vectors.begin() + 3 * edges.first[i + 1]);
    end_atom();
  }
}

template <typename Real>
void AtomSet<Real>::write_edge(const EdgeRules& rules, std::size_t atom, std::size_t slot) {
  namespace rows = kernels::edge_rows;
  const Vec3 d = vector(slot);
  const double r = d.norm();
  Real* lane = group(slot) + slot % k_lanes;
  const auto write = [&](int row, double value) {
    lane[static_cast<std::size_t>(row) * k_lanes] = static_cast<Real>(value);
  };
  for (int k = 0; k < 3; ++k) write(rows::k_unit + k, d[k] / r);
  write(rows::k_inverse, 1.0 / r);
  if (rules.radial.kind() == RadialReading::Kind::exact) {
    // The rows of an edge are its values and its derivatives.
    write(rows::k_values, 1.0);
    write(rows::k_slopes + 1, 1.0);
    return;
  }
  std::array<double, 4> values, slopes;
  table_rows_[slot] = rules.radial.at(r, elements_[atom], elements_[neighbor(slot)], values, slopes);
  for (int k = 0; k < 4; ++k) {
    write(rows::k_values + k, values[static_cast<std::size_t>(k)]);
    write(rows::k_slopes + k, slopes[static_cast<std::size_t>(k)]);
  }
}

template <typename Real>
void AtomSet<Real>::find_baseline(const Baseline& baseline, int threads) {
  baseline_slopes_.assign(size(), 0.0);
  if (baseline.has_slopes())
    over_atoms(threads, [&](std::size_t begin, std::size_t end) {
      for (std::size_t atom = begin; atom < end; ++atom) baseline_slopes_[atom] = baseline.begin(*this, atom, baseline_[atom]);
    });
  over_atoms(threads, [&](std::size_t begin, std::size_t end) {
    for (std::size_t atom = begin; atom < end; ++atom) baseline.finish(*this, atom, baseline_slopes_, baseline_[atom]);
  });
}

/// Edges of atom i are sorted by (j, shift). Those from j to i stand together in the list of j, in the opposite order
/// of shifts; as i goes up, what `cursor_` points at in the list of j are they.
template <typename Real>
void AtomSet<Real>::find_reverse() {
  reverse_.assign(n_slots(), 0);
  cursor_.assign(first_.begin(), first_.end());
  for (std::size_t i = 0; i < size(); ++i) {
    const std::size_t end = first_[i] + n_edges_[i];
    for (std::size_t slot = cursor_[i], next; slot < end; slot = next) {
      const std::size_t j = neighbor(slot);
      next = slot;
      while (next < end && neighbor(next) == j) ++next;
      const std::size_t n = next - slot, other = j == i ? slot : cursor_[j];
      for (std::size_t k = 0; k < n; ++k) {
        reverse_[slot + k] = static_cast<std::int32_t>(other + n - 1 - k);
        reverse_[other + n - 1 - k] = static_cast<std::int32_t>(slot + k);
      }
      if (j != i) cursor_[j] += n;
    }
  }
}

template <typename Real>
void AtomSet<Real>::make_blocks(std::size_t n_elements) {
  const std::size_t n_slabs = std::max<std::size_t>(1, slabs_.n), n_kinds = n_slabs * n_elements;
  const auto kind_of = [&](std::size_t atom) {
    const std::size_t slab = slabs_.n > 0 ? static_cast<std::size_t>(slabs_.of[atom]) : 0;
    return slab * n_elements + static_cast<std::size_t>(elements_[atom]);
  };
  blocks_.assign(1, 0);
  slab_blocks_.assign(1, 0);
  cursor_.assign(n_kinds + 1, 0);
  for (std::size_t atom = 0; atom < size(); ++atom) ++cursor_[kind_of(atom) + 1];
  for (std::size_t kind = 0; kind < n_kinds; ++kind) {
    const std::size_t end = cursor_[kind] + cursor_[kind + 1];
    while (blocks_.back() < end) blocks_.push_back(std::min(blocks_.back() + k_block_atoms, end));
    cursor_[kind + 1] = end;
    if ((kind + 1) % n_elements == 0) slab_blocks_.push_back(blocks_.size() - 1);
  }
  order_.resize(size());
  for (std::size_t atom = 0; atom < size(); ++atom) order_[cursor_[kind_of(atom)]++] = static_cast<std::int32_t>(atom);
  if (slabs_.n > 0) find_places();
}

template <typename Real>
void AtomSet<Real>::find_places() {
  std::vector<std::size_t> count(slabs_.n, 0);
  places_.resize(size());
  for (std::size_t atom = 0; atom < size(); ++atom)
    places_[atom] = static_cast<std::int32_t>(count[static_cast<std::size_t>(slabs_.of[atom])]++);
  largest_slab_ = *std::max_element(count.begin(), count.end());
  for (std::size_t atom = 0; atom < size(); ++atom) {
    const auto slab = static_cast<std::size_t>(slabs_.of[atom]);
    // The first two stay until the last is through; the others take three places in turns.
    const std::size_t turn = slab < 2 ? slab : 2 + (slab - 2) % (k_slabs_at_once - 2);
    places_[atom] += static_cast<std::int32_t>(turn * largest_slab_);
  }
}

template <typename Real>
typename AtomSet<Real>::Block AtomSet<Real>::block(std::size_t k) const {
  const std::span<const std::int32_t> atoms(order_.data() + blocks_[k], blocks_[k + 1] - blocks_[k]);
  return {elements_[static_cast<std::size_t>(atoms.front())], atoms, k};
}

template class AtomSet<float>;
template class AtomSet<double>;

}  // namespace tamiz::mace
