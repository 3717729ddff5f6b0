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

  std::size_t n_members() const { return static_cast<std::size_t>(last().cols()); }
  /// Mean over members of x (channels). `gradient` (channels), where not empty, takes its derivative; `members`, where
  /// not empty, is added the energies of the members. `scratch` is memory that calls use again.
  template <typename Real>
  double operator()(const Real* x, std::span<Real> gradient, std::span<double> members,
                    std::vector<double>& scratch) const;

 private:
  const RowMatrix& last() const { return layers_.back(); }
  template <typename Real>
  double linear(const Real* x, std::span<Real> gradient, std::span<double> members) const;
  template <typename Real>
  double network(const Real* x, std::span<Real> gradient, std::span<double> members, std::vector<double>& hidden) const;

  std::vector<RowMatrix> layers_;  ///< one, or two with an activation between them
  std::vector<double> mean_;       ///< of the columns of the last
  double activation_norm_;
};

}  // namespace tamiz::mace
