#pragma once

#include "tamiz/potentials/engine/mace/block_maps.hpp"

namespace tamiz::mace {

/// How the passes over a block read the edges of its atoms.
template <typename Real>
class BlockEdges : public BlockMaps<Real> {
 public:
  using BlockMaps<Real>::BlockMaps;

 protected:
  using Couplings = typename ConvolutionPlan<Real>::Couplings;
  using BlockMaps<Real>::k_lanes;
  using BlockMaps<Real>::model_, BlockMaps<Real>::space_, BlockMaps<Real>::scratch_, BlockMaps<Real>::block_;
  using BlockMaps<Real>::layer, BlockMaps<Real>::atom, BlockMaps<Real>::n_atoms;

  RadialReading::Kind reading() const { return model_.weights().radial().kind(); }
  std::size_t groups(std::size_t k) const { return (space_.atoms.n_edges(atom(k)) + k_lanes - 1) / k_lanes; }
  /// Radial rows of every edge, where the model has no table of them: values and slopes and, where asked, second
  /// derivatives.
  void exact_rows(std::size_t t, bool curvatures = false);
  /// Table, weights and factors of the edges of atom k.
  void view_edges(std::size_t t, std::size_t k, const Couplings& couplings);
  /// Factors of the links of its edges, from harmonics that lie as in `group`, the first of the atom.
  void find_factors(std::size_t t, std::size_t k, const Couplings& couplings, const Real* group,
                    AlignedBuffer<Real>& factors);
  RadialNetwork::Density density(std::size_t t, std::size_t k, std::size_t slot) const;
  const std::vector<double>& density_rows(std::size_t t, std::size_t k, std::size_t slot) const;
  /// Of an edge of atom k, in the basis that `exact_rows` wrote.
  std::size_t exact_place(std::size_t k, std::size_t slot) const {
    return scratch_.first_edges[k] + slot - space_.atoms.first(atom(k));
  }
  std::size_t n_exact() const { return scratch_.slopes.size() / basis_size(); }
  std::size_t basis_size() const { return static_cast<std::size_t>(model_.weights().radial().input().basis_size()); }
  const double* exact_basis(std::size_t k, std::size_t slot) const {
    return scratch_.basis.data() + exact_place(k, slot) * basis_size();
  }
  const double* exact_slopes(std::size_t k, std::size_t slot) const {
    return scratch_.slopes.data() + exact_place(k, slot) * basis_size();
  }
  /// What atom j sends in layer t, where `rows` are those of kind `up`.
  const Real* sent(std::size_t t, std::size_t j, const AlignedBuffer<Real>& rows) const {
    return t == 0 ? space_.first_features[static_cast<std::size_t>(space_.atoms.element(j))]
                  : rows.data() + j * model_.stride(Row::up, t);
  }

 private:
  void fill_basis(double shift);
  void exact_curvatures(std::size_t t);
  void write_exact_rows(std::size_t t, AlignedBuffer<Real>& rows);
  const FineTable<Real>& fine_table(std::size_t t, std::size_t k, std::size_t slot) const;
};

}  // namespace tamiz::mace
