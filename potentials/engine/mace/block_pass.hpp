#pragma once

#include "tamiz/potentials/engine/mace/fused_model.hpp"

namespace tamiz::mace {

/// The passes over one block of atoms of one element.
template <typename Real>
class FusedModel<Real>::BlockPass {
 public:
  using Block = typename AtomSet<Real>::Block;
  BlockPass(const FusedModel& model, Workspace<Real>& space, BlockScratch<Real>& scratch, const Block& block);

  /// Layer t from the features of the neighbours to those that leave it. In the last one goes back, where derivatives
  /// are asked for, up to the sum over neighbours.
  void forward(std::size_t t, const Request& request);
  /// From layer t >= 1, whose derivatives by the sums are known for all atoms, back to the sum of the layer before. The
  /// sum of the first layer is followed to the vectors at once.
  void backward(std::size_t t);

 private:
  using Layer = LayerWeights<Real>;
  using Couplings = typename ConvolutionPlan<Real>::Couplings;
  static constexpr std::size_t k_lanes = kernels::k_lanes<Real>;

  const Layer& layer(std::size_t t) const { return model_.weights_.layers()[t]; }
  std::size_t n_layers() const { return model_.weights_.layers().size(); }
  bool is_last(std::size_t t) const { return t + 1 == n_layers(); }
  const std::vector<TwoWayMatrix<Real>>& message_weights(std::size_t t) const;
  std::size_t atom(std::size_t k) const { return static_cast<std::size_t>(block_.atoms[k]); }
  Real* features(std::size_t t, std::size_t k);
  Real* d_features(std::size_t t, std::size_t k);
  Real* d_sum(std::size_t t, std::size_t k);
  Real* message(std::size_t t, std::size_t k);

  // block_edges.cpp
  /// Rows of the radial table of every edge, where the model is not splined.
  void exact_rows(std::size_t t);
  const FineTable<Real>& fine_table(std::size_t t, std::size_t k, std::size_t slot) const;
  /// Table, weights and factors of the edges of atom k of the block.
  void view_edges(std::size_t t, std::size_t k, const Couplings& couplings);
  void convolve(std::size_t t);
  RadialNetwork::Density density(std::size_t t, std::size_t k, std::size_t slot) const;
  void divide_by_density(std::size_t t);
  void density_backward(std::size_t t);
  void reverse(std::size_t t, std::size_t k, const Couplings& couplings, Real* d_up);
  /// Derivatives by the features that atoms send, and by the vectors along which they send them.
  void send_backward(std::size_t t);
  /// Derivatives by the vectors along which atoms receive; of the first layer, whose features are constants.
  void receive_backward();

  // block_pass.cpp
  template <typename Input, typename Output>
  void multiply(const PackedMatrix<Real>& matrix, int l, bool add, const Input& input, const Output& output,
                const std::int32_t* places = nullptr);
  void contract(std::size_t t, bool with_gradient);
  void to_message(std::size_t t);
  void leave(std::size_t t);
  void read_out(std::size_t t, const Request& request);
  void add_read_out_gradient(std::size_t t);
  void contraction_backward(std::size_t t);
  void to_sums(std::size_t t);
  void to_features(std::size_t t);

  const FusedModel& model_;
  Workspace<Real>& space_;
  BlockScratch<Real>& scratch_;
  Block block_;
  const ElementWeights<Real>& element_;
  std::size_t channels_, harmonics_;
};

}  // namespace tamiz::mace
