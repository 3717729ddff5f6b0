#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/potentials/engine/kernels/fused.hpp"
#include "tamiz/potentials/engine/edge_list.hpp"
#include "tamiz/potentials/engine/mace/aligned_buffer.hpp"
#include "tamiz/potentials/engine/mace/radial_tables.hpp"
#include "tamiz/potentials/engine/mace/slabs.hpp"

namespace tamiz::mace {

/// What edges are made from.
struct EdgeRules {
  EdgeRules(const ModelDescription& description, const RadialReading& radial);

  double cutoff;
  int l_max;
  const RadialReading& radial;
  std::vector<int> element_index;
  Baseline baseline;
};

/// Atoms of one or several whole structures with their edges inside the cutoff, in the layout of the kernels
/// (kernels::edge_rows). Edges of an atom begin a group of their own; the last group of an atom is filled up with slots
/// that no loop reads. May be filled again and again without asking for memory.
template <typename Real>
class AtomSet {
 public:
  static constexpr std::size_t k_lanes = kernels::k_lanes<Real>;

  /// The structures [begin, end) of a batch, all of whose elements the rules know. `in_slabs`: a single one is cut where
  /// it is large.
  void fill(const EdgeRules& rules, const Batch& batch, const State& state, const NeighborList& neighbors,
            std::size_t begin, std::size_t end, int threads, bool in_slabs = false);
  /// The structures that these edges belong to.
  void fill(const EdgeRules& rules, std::span<const EdgeList* const> structures, int threads);

  std::size_t size() const { return elements_.size(); }
  int element(std::size_t atom) const { return elements_[atom]; }
  /// Edges of an atom are the slots [first, first + n_edges); `first` is a multiple of k_lanes.
  std::size_t first(std::size_t atom) const { return first_[atom]; }
  std::size_t n_edges(std::size_t atom) const { return n_edges_[atom]; }
  std::size_t n_slots() const { return first_.back(); }

  std::size_t neighbor(std::size_t slot) const { return static_cast<std::size_t>(neighbors_[slot]); }
  /// The same pair seen from the other atom.
  std::size_t reverse(std::size_t slot) const { return static_cast<std::size_t>(reverse_[slot]); }
  /// First of its rows in the radial table; 0 where it has rows of its own.
  std::size_t table_row(std::size_t slot) const { return static_cast<std::size_t>(table_rows_[slot]); }
  /// r_neighbor − r_atom [Å]
  Vec3 vector(std::size_t slot) const { return Vec3::Map(vectors_.data() + 3 * slot); }

  int n_rows() const { return n_rows_; }
  Real* group(std::size_t slot) { return edges_.data() + slot / k_lanes * static_cast<std::size_t>(n_rows_) * k_lanes; }
  const Real* group(std::size_t slot) const { return const_cast<AtomSet*>(this)->group(slot); }

  /// Atoms sorted by slab, where there are any, and by element, and cut into blocks of one slab and element.
  struct Block {
    int element;
    std::span<const std::int32_t> atoms;
    std::size_t number;
  };
  std::size_t n_blocks() const { return blocks_.size() - 1; }
  Block block(std::size_t k) const;

  /// 0: the set is not cut.
  std::size_t n_slabs() const { return slabs_.n; }
  /// Blocks of slab s are [first, first of the next).
  std::size_t first_block(std::size_t slab) const { return slab_blocks_[slab]; }
  /// Rows that only the atoms of five slabs have at a time: those of the first two and of three that follow each other.
  std::size_t n_places() const { return k_slabs_at_once * largest_slab_; }
  std::size_t place(std::size_t atom) const { return static_cast<std::size_t>(places_[atom]); }
  static constexpr std::size_t k_least_slabs = 8;

  /// Calls use(neighbour, r_neighbour − r_atom) for every edge of an atom.
  template <typename Use>
  void for_each(std::size_t atom, const Use& use) const {
    for (std::size_t slot = first_[atom]; slot < first_[atom] + n_edges_[atom]; ++slot) use(neighbor(slot), vector(slot));
  }

  const AtomBaseline& baseline(std::size_t atom) const { return baseline_[atom]; }
  /// Slope of its cohesion by the density (Baseline::begin), by atom; of a batch whose model has a baseline.
  const std::vector<double>& baseline_slopes() const { return baseline_slopes_; }

 private:
  void clear(const EdgeRules& rules);
  void end_atom();
  /// Calls use(begin, end) for runs of atoms.
  template <typename Use>
  void over_atoms(int threads, const Use& use) const;
  void complete(const EdgeRules& rules, int threads);
  void add_structure(const EdgeList& edges);
  void add_structure(const EdgeRules& rules, const Batch& batch, const State& state, const NeighborList& neighbors,
                     std::size_t s);
  void find_baseline(const Baseline& baseline, int threads);
  void write_edge(const EdgeRules& rules, std::size_t atom, std::size_t slot);
  void find_reverse();
  void make_blocks(std::size_t n_elements);
  void find_places();

  int n_rows_ = 0;
  std::vector<int> elements_;
  std::vector<std::size_t> first_, n_edges_, cursor_;
  std::vector<std::int32_t> neighbors_, reverse_, table_rows_, order_;
  std::vector<std::size_t> blocks_, slab_blocks_;
  std::vector<std::int32_t> places_;
  Slabs slabs_;
  std::size_t largest_slab_ = 0;
  std::vector<double> vectors_;
  std::vector<AtomBaseline> baseline_;
  std::vector<double> baseline_slopes_;
  AlignedBuffer<Real> edges_;
};

/// Atoms of a block: enough for products of matrices, few enough for their sums to stay in the cache.
inline constexpr std::size_t k_block_atoms = 8;

}  // namespace tamiz::mace
