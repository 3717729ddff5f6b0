#pragma once

#include <span>
#include <vector>

#include "tamiz/potentials/engine/mace/parameter_reader.hpp"

namespace tamiz::mace {

/// Energies of the members from the scalars of an atom behind one interaction (docs/theory.md, eq. 7), and the
/// derivative of their mean. Works in float64.
class ReadOut {
 public:
  ReadOut(const ModelDescription& description, const ParameterReader& parameters, std::size_t interaction);

  /// One matrix, or two with an activation between them.
  const std::vector<RowMatrix>& layers() const { return layers_; }
  std::size_t n_members() const { return static_cast<std::size_t>(last().cols()); }
  /// Mean over members of x (channels). `gradient` (channels), where not empty, takes its derivative; `members`, where
  /// not empty, is added the energies of the members. `scratch` is memory that calls use again.
  template <typename Real>
  double operator()(const Real* x, std::span<Real> gradient, std::span<double> members,
                    std::vector<double>& scratch) const;
  /// Tangents behind an x that moves by x_tangent, of the sum of the members times 1/n_members + τ·seeds: writes that of its
  /// derivative by x to `d_x` (channels), and adds those by the layers (row-major) to `gradients`, where not
  /// empty.
  template <typename Real>
  void tangent(const Real* x, const Real* x_tangent, std::span<const double> seeds, std::span<Real> d_x,
               std::span<double* const> gradients, std::vector<double>& scratch) const;

 private:
  const RowMatrix& last() const { return layers_.back(); }
  template <typename Real>
  double linear(const Real* x, std::span<Real> gradient, std::span<double> members) const;
  template <typename Real>
  void linear_tangent(const Real* x, const Real* x_tangent, std::span<const double> seeds, std::span<Real> d_x,
                      double* gradient) const;
  template <typename Real>
  double network(const Real* x, std::span<Real> gradient, std::span<double> members, std::vector<double>& hidden) const;

  std::vector<RowMatrix> layers_;  ///< one, or two with an activation between them
  std::vector<double> mean_;       ///< of the columns of the last
  double activation_norm_;
};

}  // namespace tamiz::mace
