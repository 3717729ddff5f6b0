#include "tamiz/potentials/engine/mace/radial_network.hpp"

#include <algorithm>
#include <cmath>

#include "tamiz/potentials/engine/kernels/fused.hpp"
#include "tamiz/potentials/engine/mace/activation.hpp"
#include "tamiz/potentials/engine/mace/layer_plan.hpp"

namespace tamiz::mace {

Padding radial_padding(const ModelDescription& d, std::size_t layer, int padded_channels, const RowMatrix& matrix) {
  const bool last = layer == d.radial_mlp.size();
  return {matrix.rows(), whole_blocks(matrix.rows()), last ? d.channels : matrix.cols(),
          last ? padded_channels : whole_blocks(matrix.cols())};
}

RadialNetwork::RadialNetwork(const ModelDescription& d, const ParameterReader& parameters, std::size_t interaction,
                             int padded_channels)
    : activation_norm_(d.activation_norm),
      envelope_apart_(d.envelope_on_weights),
      n_radial_(static_cast<std::size_t>(d.n_radial)),
      basis_size_(n_radial_ + (envelope_apart_ ? 1 : 0)) {
  const std::string block = "interactions." + std::to_string(interaction) + ".";
  for (std::size_t k = 0; k <= d.radial_mlp.size(); ++k) {
    const RowMatrix matrix = parameters.matrix(block + "radial." + std::to_string(k));
    const Padding padding = radial_padding(d, k, padded_channels, matrix);
    layers_.push_back({pack<double>(matrix, padding), pack<double>(matrix.transpose(), transposed(padding))});
  }
  if (parameters.has(block + "density")) density_ = parameters.matrix(block + "density");
}

void RadialNetwork::multiply(const PackedMatrix<double>& matrix, std::size_t n_rows, const double* from, double* to,
                             Scratch& scratch) const {
  scratch.x.clear();
  scratch.y.clear();
  for (std::size_t r = 0; r < n_rows; ++r) {
    scratch.x.push_back(from + r * static_cast<std::size_t>(matrix.n_in));
    scratch.y.push_back(to + r * static_cast<std::size_t>(matrix.n_out));
  }
  kernels::fused_table<double>().multiply({static_cast<std::int64_t>(n_rows), matrix.n_in, matrix.n_out,
                                           scratch.x.data(), scratch.y.data(), matrix.values.data(), false, nullptr});
}

/// In place. `bends`, where not null, takes what the reverse needs: derivatives of the values by their sums, and behind
/// them of the derivatives.
void RadialNetwork::activate(std::size_t layer, std::size_t n, bool with_slopes, double* rows, double* bends) const {
  const std::size_t size = n * static_cast<std::size_t>(layers_[layer].forth.n_out);
  for (std::size_t k = 0; k < size; ++k) {
    const Activation f = scaled_silu(rows[k], activation_norm_);
    rows[k] = f.value;
    if (bends != nullptr) bends[k] = f.slope;
    if (!with_slopes) continue;
    if (bends != nullptr) bends[size + k] = rows[size + k] * f.curvature;
    rows[size + k] *= f.slope;
  }
}

/// Rows of the basis, and behind them of its slopes, as the first layer reads them.
void RadialNetwork::fill_basis(std::size_t n, const double* basis, const double* slopes, double* rows) const {
  const std::size_t n_in = static_cast<std::size_t>(layers_[0].forth.n_in);
  for (std::size_t r = 0; r < (slopes == nullptr ? n : 2 * n); ++r) {
    const double* source = r < n ? basis + r * basis_size_ : slopes + (r - n) * basis_size_;
    std::copy(source, source + n_radial_, rows + r * n_in);
    std::fill(rows + r * n_in + n_radial_, rows + (r + 1) * n_in, 0.0);
  }
}

const double* RadialNetwork::evaluate(std::size_t n, const double* basis, const double* slopes,
                                      Scratch& scratch) const {
  const std::size_t n_rows = slopes == nullptr ? n : 2 * n;
  scratch.rows[0].reserve(n_rows * static_cast<std::size_t>(layers_[0].forth.n_in));
  fill_basis(n, basis, slopes, scratch.rows[0].data());
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
    const PackedMatrix<double>& matrix = layers_[layer].forth;
    AlignedBuffer<double>& to = scratch.rows[(layer + 1) % 2];
    to.reserve(n_rows * static_cast<std::size_t>(matrix.n_out));
    multiply(matrix, n_rows, scratch.rows[layer % 2].data(), to.data(), scratch);
    if (layer + 1 < layers_.size()) activate(layer, n, slopes != nullptr, to.data(), nullptr);
  }
  double* result = scratch.rows[layers_.size() % 2].data();
  if (!envelope_apart_) return result;
  const std::size_t width = n_outputs();
  for (std::size_t r = 0; r < n; ++r) {
    const double envelope = basis[r * basis_size_ + n_radial_];
    double* values = result + r * width;
    if (slopes != nullptr) {
      const double envelope_slope = slopes[r * basis_size_ + n_radial_];
      double* derivatives = result + (n + r) * width;
      for (std::size_t k = 0; k < width; ++k) derivatives[k] = derivatives[k] * envelope + values[k] * envelope_slope;
    }
    for (std::size_t k = 0; k < width; ++k) values[k] *= envelope;
  }
  return result;
}

RadialNetwork::Density RadialNetwork::density(const double* basis, const double* slopes) const {
  double x = 0.0, dx = 0.0;
  for (std::size_t k = 0; k < n_radial_; ++k) {
    const double weight = density_(static_cast<Eigen::Index>(k), 0);
    x += basis[k] * weight;
    if (slopes != nullptr) dx += slopes[k] * weight;
  }
  const double value = std::tanh(x * x), slope = (1.0 - value * value) * 2.0 * x * dx;
  if (!envelope_apart_) return {value, slope};
  const double envelope = basis[n_radial_], envelope_slope = slopes == nullptr ? 0.0 : slopes[n_radial_];
  return {value * envelope, slope * envelope + value * envelope_slope};
}

/// From derivatives by the outputs of an activation to those by its inputs.
void RadialNetwork::activation_backward(std::size_t layer, std::size_t n, bool with_slopes, const double* bends,
                                        double* adjoint) const {
  const std::size_t size = n * static_cast<std::size_t>(layers_[layer].forth.n_out);
  for (std::size_t k = 0; k < size; ++k) adjoint[k] *= bends[k];
  if (!with_slopes) return;
  for (std::size_t k = 0; k < size; ++k) {
    adjoint[k] += adjoint[size + k] * bends[size + k];
    adjoint[size + k] *= bends[k];
  }
}

/// From derivatives by what `evaluate` gives to those by what the last layer gives.
void RadialNetwork::envelope_backward(std::size_t n, const double* basis, const double* slopes, double* adjoint) const {
  const std::size_t width = n_outputs();
  for (std::size_t r = 0; r < n; ++r) {
    const double envelope = basis[r * basis_size_ + n_radial_];
    double* values = adjoint + r * width;
    for (std::size_t k = 0; k < width; ++k) values[k] *= envelope;
    if (slopes == nullptr) continue;
    double* derivatives = adjoint + (n + r) * width;
    const double envelope_slope = slopes[r * basis_size_ + n_radial_];
    for (std::size_t k = 0; k < width; ++k) {
      values[k] += derivatives[k] * envelope_slope;
      derivatives[k] *= envelope;
    }
  }
}

void RadialNetwork::backward(std::size_t n, const double* basis, const double* slopes, double* adjoint,
                             std::span<double* const> gradients, Scratch& scratch) const {
  const std::size_t n_rows = slopes == nullptr ? n : 2 * n, last = layers_.size() - 1;
  const auto rows_of = [&](std::vector<AlignedBuffer<double>>& list, std::size_t layer, std::int64_t width) {
    list.resize(layers_.size());
    list[layer].reserve(n_rows * static_cast<std::size_t>(width));
    return list[layer].data();
  };
  fill_basis(n, basis, slopes, rows_of(scratch.inputs, 0, layers_[0].forth.n_in));
  for (std::size_t layer = 0; layer < last; ++layer) {
    double* rows = rows_of(scratch.inputs, layer + 1, layers_[layer].forth.n_out);
    multiply(layers_[layer].forth, n_rows, scratch.inputs[layer].data(), rows, scratch);
    activate(layer, n, slopes != nullptr, rows, rows_of(scratch.bends, layer, layers_[layer].forth.n_out));
  }
  if (envelope_apart_) envelope_backward(n, basis, slopes, adjoint);
  const double* by_sums = adjoint;
  for (std::size_t layer = last;; --layer) {
    const PackedMatrix<double>& matrix = layers_[layer].forth;
    scratch.x.clear();
    scratch.u.clear();
    for (std::size_t r = 0; r < n_rows; ++r) {
      scratch.x.push_back(scratch.inputs[layer].data() + r * static_cast<std::size_t>(matrix.n_in));
      scratch.u.push_back(by_sums + r * static_cast<std::size_t>(matrix.n_out));
    }
    kernels::fused_table<double>().accumulate({static_cast<std::int64_t>(n_rows), matrix.n_in, matrix.n_out,
                                               scratch.x.data(), scratch.u.data(), gradients[layer]});
    if (layer == 0) return;
    AlignedBuffer<double>& next = scratch.rows[layer % 2];
    next.reserve(n_rows * static_cast<std::size_t>(matrix.n_in));
    multiply(layers_[layer].back, n_rows, by_sums, next.data(), scratch);
    activation_backward(layer - 1, n, slopes != nullptr, scratch.bends[layer - 1].data(), next.data());
    by_sums = next.data();
  }
}

void RadialNetwork::add_density_gradient(const double* basis, const double* slopes, double by_value, double by_slope,
                                         double* gradient) const {
  double x = 0.0, dx = 0.0;
  for (std::size_t k = 0; k < n_radial_; ++k) {
    const double weight = density_(static_cast<Eigen::Index>(k), 0);
    x += basis[k] * weight;
    if (slopes != nullptr) dx += slopes[k] * weight;
  }
  const double value = std::tanh(x * x), rest = 1.0 - value * value;
  const double first = 2.0 * x * rest, second = 2.0 * rest - 4.0 * x * value * first;
  const double envelope = envelope_apart_ ? basis[n_radial_] : 1.0;
  const double envelope_slope = envelope_apart_ && slopes != nullptr ? slopes[n_radial_] : 0.0;
  double by_x = by_value * envelope * first, by_dx = 0.0;
  if (slopes != nullptr) {
    by_x += by_slope * (envelope * second * dx + envelope_slope * first);
    by_dx = by_slope * envelope * first;
  }
  for (std::size_t k = 0; k < n_radial_; ++k)
    gradient[k] += by_x * basis[k] + (slopes != nullptr ? by_dx * slopes[k] : 0.0);
}

}  // namespace tamiz::mace
