#pragma once

#include <array>
#include <memory>
#include <mutex>
#include <vector>

#include "tamiz/potentials/engine/mace/atom_set.hpp"
#include "tamiz/potentials/engine/mace/edge_sums.hpp"
#include "tamiz/potentials/engine/mace/radial_network.hpp"

namespace tamiz::mace {

/// What an interaction works out for an atom: from the features that enter it (those behind linear_up; the sum over
/// neighbours; the message that enters the contraction; what comes out of it) and back (derivatives by the same).
enum class Row : std::size_t {
  features,
  up,
  sum,
  message,
  contracted,
  d_features,
  d_contracted,
  d_message,
  d_sum,
  d_up
};
inline constexpr std::size_t k_row_kinds = 10;

/// Rows of one interaction by kind, of every atom or of every atom of a block. Features and their derivatives have one
/// interaction more than the others, for those that leave the last.
template <typename Real>
using Rows = std::array<AlignedBuffer<Real>, k_row_kinds>;

/// What stays between the passes over a set of atoms.
template <typename Real>
struct Workspace {
  struct Layer {
    Rows<Real> rows;              ///< those that a pass keeps
    std::vector<double> density;  ///< 1 + Σ_j of eq. 4a
  };
  /// Radial rows of the edges of a block, where the network is evaluated at every edge.
  struct RadialRows {
    AlignedBuffer<Real> rows;
    bool made = false;
  };
  AtomSet<Real> atoms;
  std::vector<Layer> layers;
  std::vector<std::vector<RadialRows>> radial;  ///< by interaction and block, where rows are kept
  /// By interaction and number, of the pairs of elements that occur.
  std::vector<std::vector<std::shared_ptr<const FineTable<Real>>>> fine;
  std::vector<const Real*> first_features;  ///< by element, of those that occur
  AlignedBuffer<Real> d_vectors;            ///< (n_slots, 3) derivative by the vector of an edge
  std::vector<double> energies;             ///< of the read-outs, per atom
  std::vector<double> members;              ///< (n_atoms, n_members), where asked
  std::vector<EdgeSums> edge_sums;          ///< of what was last added up along the edges, per atom

  std::vector<Layer> tangents;            ///< of the layers
  AlignedBuffer<Real> edge_tangents;      ///< of the groups of edges (kernels::EdgeTangentArguments)
  AlignedBuffer<Real> d_vector_tangents;  ///< of d_vectors, where asked
};

/// What one thread needs for one block of atoms.
template <typename Real>
struct BlockScratch {
  Rows<Real> rows;                                         ///< those that a pass does not keep
  AlignedBuffer<Real> factors, gradients, reverse;         ///< of the edges of one atom
  AlignedBuffer<Real> factor_tangents, gradient_tangents;  ///< the same
  AlignedBuffer<Real> moves, bends;                        ///< tangents of vectors, second derivatives of weights
  AlignedBuffer<Real> radial;        ///< radial rows of every edge of the block, where they are not kept
  const Real* radial_rows = nullptr;  ///< these, or those that are
  AlignedBuffer<Real> d_radial;                            ///< derivatives by them
  std::vector<kernels::EdgeView<Real>> edges;
  std::vector<kernels::MovingEdge<Real>> moving;
  AlignedBuffer<std::uint16_t> rounded;  ///< inputs of a product in bfloat16
  std::vector<const Real*> x, u;
  std::vector<Real*> y;
  std::vector<std::size_t> first_edges;  ///< of the atoms of the block in `radial`
  std::size_t rows_per_edge = 2;         ///< there
  std::vector<Real> read_out;
  std::vector<double> basis, slopes, hidden, adjoint, curvatures;
  AlignedBuffer<Real> unused;  ///< derivatives that nobody asked for
  RadialNetwork::Scratch network;
};

/// Memory that calls take and give back, so that it is asked for once.
template <typename Item>
class Pool {
 public:
  /// An item that returns to the pool.
  class Lease {
   public:
    Lease(Pool& pool, std::unique_ptr<Item> item) : pool_(pool), item_(std::move(item)) {}
    ~Lease() { pool_.give_back(std::move(item_)); }
    Lease(const Lease&) = delete;
    Lease& operator=(const Lease&) = delete;
    Item& operator*() const { return *item_; }
    Item* operator->() const { return item_.get(); }

   private:
    Pool& pool_;
    std::unique_ptr<Item> item_;
  };

  Lease take() {
    const std::lock_guard lock(mutex_);
    items_.reserve(items_.size() + ++n_leased_);  // so that giving back needs no memory
    if (items_.empty()) return Lease(*this, std::make_unique<Item>());
    std::unique_ptr<Item> item = std::move(items_.back());
    items_.pop_back();
    return Lease(*this, std::move(item));
  }

 private:
  void give_back(std::unique_ptr<Item> item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
    --n_leased_;
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Item>> items_;
  std::size_t n_leased_ = 0;
};

}  // namespace tamiz::mace
