#pragma once

#include "tamiz/potentials/engine/mace/block_edges.hpp"

namespace tamiz::mace {

/// The passes over one block of atoms of one element.
template <typename Real>
class BlockPass : BlockEdges<Real> {
 public:
  using typename BlockEdges<Real>::Block;
  using Request = typename FusedModel<Real>::Request;
  BlockPass(const FusedModel<Real>& model, Workspace<Real>& space, BlockScratch<Real>& scratch, const Block& block,
            const KeptRows& kept)
      : BlockEdges<Real>(model, space, scratch, block, space.layers, kept) {}

  /// Layer t from the features of the neighbours to those that leave it. In the last one goes back, where derivatives
  /// are asked for, up to the sum over neighbours.
  void forward(std::size_t t, const Request& request);
  /// From layer t >= 1, whose derivatives by the sums are known for all atoms, back to the sum of the layer before. The
  /// sum of the first layer is followed to the vectors at once.
  void backward(std::size_t t);

 private:
  using typename BlockEdges<Real>::Layer;
  using typename BlockEdges<Real>::Couplings;
  using BlockEdges<Real>::k_lanes;
  using BlockEdges<Real>::model_, BlockEdges<Real>::space_, BlockEdges<Real>::scratch_, BlockEdges<Real>::block_;
  using BlockEdges<Real>::element_, BlockEdges<Real>::channels_, BlockEdges<Real>::harmonics_;
  using BlockEdges<Real>::layer, BlockEdges<Real>::is_last, BlockEdges<Real>::n_atoms, BlockEdges<Real>::atom;
  using BlockEdges<Real>::row;

  // block_convolution.cpp
  void convolve(std::size_t t);
  void divide_by_density(std::size_t t);
  void density_backward(std::size_t t);
  void reverse(std::size_t t, std::size_t k, const Couplings& couplings, Real* d_up);
  /// Derivatives by the features that atoms send, and by the vectors along which they send them.
  void send_backward(std::size_t t);
  /// Derivatives by the vectors along which atoms receive; of the first layer, whose features are constants.
  void receive_backward();

  // block_pass.cpp
  /// What enters the contraction of layer t.
  void find_message(std::size_t t);
  void contract(std::size_t t, bool with_gradient);
  void read_out(std::size_t t, const Request& request);
  void add_read_out_gradient(std::size_t t);
  void contraction_backward(std::size_t t);
  void to_sums(std::size_t t);
};

}  // namespace tamiz::mace
