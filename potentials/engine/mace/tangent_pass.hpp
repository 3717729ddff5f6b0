#pragma once

#include "tamiz/potentials/engine/mace/block_edges.hpp"
#include "tamiz/potentials/engine/mace/weight_gradients.hpp"

namespace tamiz::mace {

/// A direction in the space of positions, cells and of what is differentiated: E = Σ_q seed_q·E_q of every structure,
/// with seeds 1/n_members + τ·members, at positions x + τ·positions under a strain τ·strains. Energies are read-outs,
/// without the scale of the model.
struct Direction {
  std::vector<std::int32_t> structure_of;  ///< of every atom
  std::vector<Vec3> positions;             ///< by atom
  std::vector<Mat3> strains;               ///< by structure; symmetric
  std::vector<double> members;             ///< (n_structures, n_members)
};

/// The passes over one block for the derivatives by τ at τ = 0, behind an evaluation that kept its rows
/// (docs/theory.md, section 2.1). Where there are no `gradients` to add to, tangents of the derivatives by the vectors
/// of edges are added to the workspace instead.
template <typename Real>
class TangentPass : BlockEdges<Real> {
 public:
  using typename BlockEdges<Real>::Block;
  TangentPass(const FusedModel<Real>& model, Workspace<Real>& space, BlockScratch<Real>& scratch, const Block& block,
              const KeptRows& values, const KeptRows& tangents, const Direction& direction, bool second)
      : BlockEdges<Real>(model, space, scratch, block, space.tangents, tangents),
        values_(values),
        direction_(direction),
        second_(second) {}

  /// Rows that passes over other blocks, or later ones over this, read.
  static KeptRows kept(const KeptRows& values);

  /// Layer t from the features of the neighbours to those that leave it.
  void forward(std::size_t t);
  /// From the derivatives by the features that leave layer t to those by its sums and to what its skip hands back.
  void to_sums(std::size_t t, WeightGradients<Real>* gradients);
  /// From the sums of all atoms to the features that enter layer t.
  void to_features(std::size_t t, WeightGradients<Real>* gradients);

 private:
  using typename BlockEdges<Real>::Layer;
  using typename BlockEdges<Real>::Couplings;
  using BlockEdges<Real>::k_lanes;
  using BlockEdges<Real>::model_, BlockEdges<Real>::space_, BlockEdges<Real>::scratch_, BlockEdges<Real>::block_;
  using BlockEdges<Real>::element_, BlockEdges<Real>::channels_, BlockEdges<Real>::harmonics_;
  using BlockEdges<Real>::layer, BlockEdges<Real>::is_last, BlockEdges<Real>::n_atoms, BlockEdges<Real>::atom;

  Real* value(Row kind, std::size_t t, std::size_t k) const { return this->row_of(space_.layers, values_, kind, t, k); }
  Real* tangent(Row kind, std::size_t t, std::size_t k) const { return this->row(kind, t, k); }
  /// Tangents of what edge `slot` has but once; rows are k_lanes apart.
  const Real* moving(std::size_t slot) const {
    return space_.edge_tangents.data() + slot / k_lanes * static_cast<std::size_t>(space_.atoms.n_rows()) * k_lanes +
           slot % k_lanes;
  }
  std::size_t element() const { return static_cast<std::size_t>(block_.element); }

  // tangent_edges.cpp
  void move_edges();
  void view_moving(std::size_t t, std::size_t k, const Couplings& couplings);
  void point_at_tables(std::size_t t, std::size_t k, WeightGradients<Real>* gradients);
  void convolve(std::size_t t);
  void send_backward(std::size_t t, WeightGradients<Real>* gradients);
  void add_vector_tangents(std::size_t t, std::size_t k, const Couplings& couplings);
  void exact_backward(std::size_t t, WeightGradients<Real>* gradients);

  // tangent_density.cpp
  void divide_by_density(std::size_t t);
  void density_backward(std::size_t t, WeightGradients<Real>* gradients);
  void add_density(std::size_t t, std::size_t k, double by_density, double tangent, WeightGradients<Real>* gradients);
  double density_curvature(std::size_t t, std::size_t k, std::size_t slot) const;
  void add_density_to_vectors(std::size_t t, std::size_t k, double by_density, double tangent);

  // tangent_pass.cpp
  kernels::ContractTangentArguments<Real> contraction(std::size_t t, std::size_t k) const;
  void read_out(std::size_t t, WeightGradients<Real>* gradients);
  template <typename Input>
  void accumulate(Real* gradient, const PackedMatrix<Real>& matrix, std::size_t l, Row by, std::size_t t_by,
                  const Input& input);
  void accumulate(Real* gradient, const PackedMatrix<Real>& matrix, std::size_t l, Row by, std::size_t t_by, Row input,
                  std::size_t t_input);
  void accumulate_constants(const WeightKey& key, Row by, std::size_t t, WeightGradients<Real>* gradients);
  void behind_contraction(std::size_t t, WeightGradients<Real>* gradients);
  void before_contraction(std::size_t t, WeightGradients<Real>* gradients);

  const KeptRows& values_;
  const Direction& direction_;
  bool second_;  ///< second derivatives by positions are asked for
};

}  // namespace tamiz::mace
