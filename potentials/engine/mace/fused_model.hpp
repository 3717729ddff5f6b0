#pragma once

#include "tamiz/potentials/engine/mace/fused_weights.hpp"
#include "tamiz/potentials/engine/mace/workspace.hpp"

namespace tamiz::mace {

/// MACE as a few passes over the atoms of a set, forth and back (docs/theory.md, section 1.1). Const and reentrant: what
/// changes is in the workspace. An atom's numbers are worked out in the same order whatever the other atoms and threads.
template <typename Real>
class FusedModel {
 public:
  explicit FusedModel(const ModelFile& model);

  const FusedWeights<Real>& weights() const { return weights_; }

  struct Request {
    bool derivatives, members;
  };
  /// For `space.atoms`: fills `energies`, the features behind every layer (`layers[t].features`, t = 1..n), and where
  /// asked `d_vectors` and `members`. Blocks of atoms are shared among `threads`.
  void evaluate(Workspace<Real>& space, const Request& request, int threads) const;

  /// Numbers from one atom to the next in the features that enter layer t (t = n: that leave the last).
  std::size_t feature_stride(std::size_t t) const;

 private:
  class BlockPass;
  void prepare(Workspace<Real>& space, const Request& request) const;
  void find_fine_tables(Workspace<Real>& space, std::size_t t) const;
  /// Of the edges of one atom, with their gradients where asked.
  void write_harmonics(AtomSet<Real>& atoms, std::size_t atom, AlignedBuffer<Real>* gradients) const;

  FusedWeights<Real> weights_;
  std::vector<Real> prefactors_;  ///< kernels::HarmonicsArguments
  mutable Pool<BlockScratch<Real>> scratch_;
};

}  // namespace tamiz::mace
