#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tamiz/potentials/engine/mace/radial_network.hpp"
#include "tamiz/potentials/engine/radial/radial_input.hpp"

namespace tamiz::mace {

/// Radial functions of one interaction as rows of all paths: at a distance they are the sum of four rows times four
/// weights. Where the model is splined these are its spline coefficients; where not, every edge has rows of its own,
/// with the value and the derivative that the network gives.
template <typename Real>
class RadialTable {
 public:
  RadialTable(const RadialInput& input, RadialNetwork network);

  std::size_t stride() const { return odd_lines<Real>(network_.n_outputs()); }
  /// The spline coefficients (n_coefficients, stride).
  const Real* coefficients() const { return coefficients_.data(); }
  /// Density coefficients (n_coefficients), empty without.
  const std::vector<double>& density() const { return density_; }
  const RadialNetwork& network() const { return network_; }

 private:
  RadialNetwork network_;
  AlignedBuffer<Real> coefficients_;
  std::vector<double> density_;
};

}  // namespace tamiz::mace
