#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "tamiz/potentials/engine/mace/atom_set.hpp"
#include "tamiz/potentials/engine/mace/radial_network.hpp"

namespace tamiz::mace {

/// What stays between the passes over a set of atoms. Rows of an atom are `*_stride` numbers apart.
template <typename Real>
struct Workspace {
  struct Layer {
    AlignedBuffer<Real> features;    ///< that enter
    AlignedBuffer<Real> up;          ///< behind linear_up
    AlignedBuffer<Real> message;     ///< that enters the contraction; not of the last layer
    AlignedBuffer<Real> d_sum;       ///< derivative by the sum over neighbours; not of the first layer
    AlignedBuffer<Real> d_features;  ///< derivative by the features that enter
    std::vector<double> density;     ///< 1 + Σ_j of eq. 4a
    std::vector<std::shared_ptr<const FineTable<Real>>> fine;  ///< by number, of the pairs of elements that occur
  };
  AtomSet<Real> atoms;
  std::vector<Layer> layers;
  std::vector<const Real*> first_features;  ///< by element, of those that occur
  AlignedBuffer<Real> d_vectors;  ///< (n_slots, 3) derivative by the vector of an edge
  std::vector<double> energies;   ///< of the read-outs, per atom
  std::vector<double> members;    ///< (n_atoms, n_members), where asked
};

/// What one thread needs for one block of atoms.
template <typename Real>
struct BlockScratch {
  AlignedBuffer<Real> sum, message, contracted, gradient, d_contracted;  ///< per atom of the block
  AlignedBuffer<Real> features, d_features, d_up, d_sum;                 ///< the same
  AlignedBuffer<Real> factors, gradients, reverse;                       ///< of the edges of one atom
  AlignedBuffer<Real> rows;                                              ///< radial rows of every edge of the block
  std::vector<kernels::EdgeView<Real>> edges;
  std::vector<const Real*> x;
  std::vector<Real*> y;
  std::vector<std::size_t> first_rows;  ///< of the atoms of the block in `rows`
  std::vector<Real> read_out;
  std::vector<double> basis, slopes, hidden;
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
    if (items_.empty()) return Lease(*this, std::make_unique<Item>());
    std::unique_ptr<Item> item = std::move(items_.back());
    items_.pop_back();
    return Lease(*this, std::move(item));
  }

 private:
  void give_back(std::unique_ptr<Item> item) {
    const std::lock_guard lock(mutex_);
    items_.push_back(std::move(item));
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<Item>> items_;
};

}  // namespace tamiz::mace
