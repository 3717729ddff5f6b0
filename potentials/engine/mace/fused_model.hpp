#pragma once

#include <array>

#include "tamiz/potentials/engine/mace/fused_weights.hpp"
#include "tamiz/potentials/engine/mace/workspace.hpp"

namespace tamiz::mace {

/// Which rows stay until later passes read them: of no atom, of all, or of those whose slabs are worked on (AtomSet::place).
enum class Keep : char { none, all, slabs };
/// By interaction and kind.
using KeptRows = std::vector<std::array<Keep, k_row_kinds>>;

/// MACE as a few passes over the atoms of a set, forth and back (docs/theory.md, section 1.1). Const and reentrant: what
/// changes is in the workspace. An atom's numbers are worked out in the same order whatever the other atoms and threads.
template <typename Real>
class FusedModel {
 public:
  explicit FusedModel(const ModelFile& model, Use use = Use::evaluation);

  const FusedWeights<Real>& weights() const { return weights_; }
  FusedWeights<Real>& weights() { return weights_; }

  struct Request {
    bool derivatives, members;
    bool keep = false;  ///< all rows, for the tangents behind
  };
  /// For `space.atoms`: fills `energies`, the features behind every layer (`layers[t].rows`, t = 1..n), and where
  /// asked `d_vectors` and `members`. Blocks of atoms are shared among `threads`. Where the set is cut into slabs, the last
  /// layer goes forth and back slab by slab, with the same bits and less memory.
  void evaluate(Workspace<Real>& space, const Request& request, int threads) const;

  /// Numbers from one atom to the next in rows of layer t (t = n: that leave the last).
  std::size_t stride(Row kind, std::size_t t) const { return strides_[t][static_cast<std::size_t>(kind)]; }
  std::size_t largest_stride(Row kind) const;
  /// Memory for the rows that are kept.
  void reserve(std::vector<typename Workspace<Real>::Layer>& layers, const KeptRows& kept, const AtomSet<Real>& atoms) const;
  /// `in_slabs`: less, of atoms that are cut into slabs.
  KeptRows kept(const Request& request, bool in_slabs = false) const;
  /// Memory of an evaluation of atoms with so many slots for edges [bytes]; `n_places`: AtomSet::n_places of atoms that are
  /// cut into slabs, otherwise 0.
  double bytes(const Request& request, std::size_t n_atoms, std::size_t n_slots, std::size_t n_places) const;
  /// Of the edges of one atom, with their gradients where asked.
  void write_harmonics(AtomSet<Real>& atoms, std::size_t atom, AlignedBuffer<Real>* gradients) const;
  const Real* prefactors() const { return prefactors_.data(); }
  Pool<BlockScratch<Real>>& scratch() const { return scratch_; }

 private:
  void prepare(Workspace<Real>& space, const Request& request) const;
  /// The last layer forth and back, by calls of forth(slab) and back(slab): back from a slab once those beside it went forth.
  template <typename Forth, typename Back>
  static void over_slabs(std::size_t n, const Forth& forth, const Back& back);
  void find_fine_tables(Workspace<Real>& space) const;
  void find_strides();

  FusedWeights<Real> weights_;
  std::vector<Real> prefactors_;  ///< kernels::HarmonicsArguments
  std::vector<std::array<std::size_t, k_row_kinds>> strides_;
  mutable Pool<BlockScratch<Real>> scratch_;
};

}  // namespace tamiz::mace
