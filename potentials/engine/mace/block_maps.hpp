#pragma once

#include "tamiz/potentials/engine/mace/fused_model.hpp"

namespace tamiz::mace {

/// The linear maps of the network over one block of atoms of one element, forth and back. Being linear, they are the
/// same for values and for tangents: `layers` says whose rows they read and write. Rows that are not kept stay in the
/// scratch.
template <typename Real>
class BlockMaps {
 public:
  using Block = typename AtomSet<Real>::Block;
  using Layers = std::vector<typename Workspace<Real>::Layer>;
  BlockMaps(const FusedModel<Real>& model, Workspace<Real>& space, BlockScratch<Real>& scratch, const Block& block,
            Layers& layers, const KeptRows& kept);

 protected:
  using Layer = LayerWeights<Real>;
  static constexpr std::size_t k_lanes = kernels::k_lanes<Real>;

  const Layer& layer(std::size_t t) const { return model_.weights().layers()[t]; }
  std::size_t n_layers() const { return model_.weights().layers().size(); }
  bool is_last(std::size_t t) const { return t + 1 == n_layers(); }
  const std::vector<TwoWayMatrix<Real>>& message_weights(std::size_t t) const;
  std::size_t n_atoms() const { return block_.atoms.size(); }
  std::size_t atom(std::size_t k) const { return static_cast<std::size_t>(block_.atoms[k]); }
  /// Of atom k of the block.
  Real* row(Row kind, std::size_t t, std::size_t k) const { return row_of(layers_, kept_, kind, t, k); }
  Real* row_of(Layers& layers, const KeptRows& kept, Row kind, std::size_t t, std::size_t k) const;

  bool is_kept(Row kind, std::size_t t) const { return kept_[t][static_cast<std::size_t>(kind)] != Keep::none; }
  /// Of an atom's row among those of the layer.
  std::size_t place(Keep keep, std::size_t j) const { return keep == Keep::slabs ? space_.atoms.place(j) : j; }
  const Real* kept_row(Row kind, std::size_t t, std::size_t j) const {
    const auto which = static_cast<std::size_t>(kind);
    return layers_[t].rows[which].data() + place(kept_[t][which], j) * model_.stride(kind, t);
  }

  void to_message(std::size_t t);
  /// The features that leave layer t. `skipped`: what a residual connection of the first layer adds, or null.
  void to_features_behind(std::size_t t, const Real* skipped);
  void to_up(std::size_t t);
  /// From the derivatives by the features that leave layer t to those by what the contraction gives.
  void back_to_contracted(std::size_t t);
  void back_to_sum(std::size_t t);
  /// What the residual connection of layer t hands back to the features that enter it.
  void back_along_skip(std::size_t t);
  void back_to_features(std::size_t t);

  const FusedModel<Real>& model_;
  Workspace<Real>& space_;
  BlockScratch<Real>& scratch_;
  Block block_;
  const ElementWeights<Real>& element_;
  std::size_t channels_, harmonics_;

 private:
  template <typename Input, typename Output>
  void multiply(const PackedMatrix<Real>& matrix, std::size_t l, bool add, const Input& input, const Output& output,
                const std::int32_t* places = nullptr);
  void multiply(const PackedMatrix<Real>& matrix, std::size_t l, bool add, Row from, std::size_t t_from, Row to,
                std::size_t t_to);

  Layers& layers_;
  const KeptRows& kept_;
};

}  // namespace tamiz::mace
