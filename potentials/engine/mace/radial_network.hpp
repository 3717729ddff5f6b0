#pragma once

#include <vector>

#include "tamiz/potentials/engine/mace/parameter_reader.hpp"
#include "tamiz/potentials/engine/radial/radial_basis.hpp"

namespace tamiz::mace {

/// What the radial part of one interaction makes of a basis (docs/theory.md, eqs. 2 and 4a), in float64. Every distance
/// is worked out by itself, so that its bits do not depend on the others.
class RadialNetwork {
 public:
  /// `padded_channels`: of the outputs, path by path.
  RadialNetwork(const ModelDescription& description, const ParameterReader& parameters, std::size_t interaction,
                int padded_channels);

  /// Of all paths, padded.
  std::size_t n_outputs() const { return static_cast<std::size_t>(layers_.back().n_out); }
  bool has_density() const { return density_.size() > 0; }

  /// Buffers that calls use again.
  struct Scratch {
    AlignedBuffer<double> rows[2];
    std::vector<const double*> x;
    std::vector<double*> y;
  };
  /// Of n distances with a basis (n, basis_size) and, where not null, its slopes [1/Å]: returns values
  /// (n, n_outputs), and behind them the derivatives. They stay in the scratch.
  const double* evaluate(std::size_t n, const double* basis, const double* slopes, Scratch& scratch) const;

  struct Density {
    double value, slope;
  };
  /// The share of one neighbour in the density.
  Density density(const double* basis, const double* slopes) const;

 private:
  void multiply(std::size_t layer, std::size_t n_rows, Scratch& scratch) const;
  void activate(std::size_t layer, std::size_t n, bool with_slopes, double* rows) const;

  std::vector<PackedMatrix<double>> layers_;
  RowMatrix density_;  ///< (n_radial, 1)
  double activation_norm_;
  bool envelope_apart_;
  std::size_t n_radial_, basis_size_;
};

}  // namespace tamiz::mace
