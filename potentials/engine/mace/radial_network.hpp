#pragma once

#include <span>
#include <vector>

#include "tamiz/potentials/engine/mace/parameter_reader.hpp"
#include "tamiz/potentials/engine/radial/radial_basis.hpp"

namespace tamiz::mace {

/// How the matrix of a layer of a radial network is padded; that of the last path by path.
Padding radial_padding(const ModelDescription& description, std::size_t layer, int padded_channels,
                       const RowMatrix& matrix);

/// What the radial part of one interaction makes of a basis (docs/theory.md, eqs. 2 and 4a), in float64. Every distance
/// is worked out by itself, so that its bits do not depend on the others.
class RadialNetwork {
 public:
  /// `padded_channels`: of the outputs, path by path.
  RadialNetwork(const ModelDescription& description, const ParameterReader& parameters, std::size_t interaction,
                int padded_channels);

  /// Of all paths, padded.
  std::size_t n_outputs() const { return static_cast<std::size_t>(layers_.back().forth.n_out); }
  bool has_density() const { return density_.size() > 0; }
  std::size_t n_radial() const { return n_radial_; }
  std::size_t n_layers() const { return layers_.size(); }
  const PackedMatrix<double>& matrix(std::size_t layer) const { return layers_[layer].forth; }
  /// Numbers in the matrix of a layer, packed.
  std::size_t layer_size(std::size_t layer) const {
    return static_cast<std::size_t>(layers_[layer].forth.n_in * layers_[layer].forth.n_out);
  }

  /// Buffers that calls use again.
  struct Scratch {
    AlignedBuffer<double> rows[2];
    std::vector<AlignedBuffer<double>> inputs, bends;  ///< of every layer; the reverse only
    std::vector<const double*> x, u;
    std::vector<double*> y;
  };
  /// Of n distances with a basis (n, basis_size) and, where not null, its slopes [1/Å]: returns values
  /// (n, n_outputs), and behind them the derivatives. They stay in the scratch.
  const double* evaluate(std::size_t n, const double* basis, const double* slopes, Scratch& scratch) const;

  /// Adds to `gradients`, one packed matrix per layer, the derivatives of Σ adjoint·outputs, where `adjoint` and
  /// outputs are (n, n_outputs) of values and, where slopes are not null, behind them of derivatives. `adjoint` is used
  /// up.
  void backward(std::size_t n, const double* basis, const double* slopes, double* adjoint,
                std::span<double* const> gradients, Scratch& scratch) const;

  struct Density {
    double value, slope;
  };
  /// The share of one neighbour in the density.
  Density density(const double* basis, const double* slopes) const;
  /// Adds to `gradient` (n_radial) the derivatives of by_value·value + by_slope·slope of the same; without slopes
  /// by_slope is not read.
  void add_density_gradient(const double* basis, const double* slopes, double by_value, double by_slope,
                            double* gradient) const;

 private:
  void multiply(const PackedMatrix<double>& matrix, std::size_t n_rows, const double* from, double* to,
                Scratch& scratch) const;
  void fill_basis(std::size_t n, const double* basis, const double* slopes, double* rows) const;
  void activate(std::size_t layer, std::size_t n, bool with_slopes, double* rows, double* bends) const;
  void activation_backward(std::size_t layer, std::size_t n, bool with_slopes, const double* bends,
                           double* adjoint) const;
  void envelope_backward(std::size_t n, const double* basis, const double* slopes, double* adjoint) const;

  std::vector<TwoWayMatrix<double>> layers_;
  RowMatrix density_;  ///< (n_radial, 1)
  double activation_norm_;
  bool envelope_apart_;
  std::size_t n_radial_, basis_size_;
};

}  // namespace tamiz::mace
