#include "tamiz/potentials/engine/mace/radial_network.hpp"

#include <cmath>

#include "tamiz/potentials/engine/kernels/fused.hpp"
#include "tamiz/potentials/engine/mace/activation.hpp"
#include "tamiz/potentials/engine/mace/layer_plan.hpp"

namespace tamiz::mace {

RadialNetwork::RadialNetwork(const ModelDescription& d, const ParameterReader& parameters, std::size_t interaction,
                             int padded_channels)
    : activation_norm_(d.activation_norm),
      envelope_apart_(d.envelope_on_weights),
      n_radial_(static_cast<std::size_t>(d.n_radial)),
      basis_size_(n_radial_ + (envelope_apart_ ? 1 : 0)) {
  const std::string block = "interactions." + std::to_string(interaction) + ".";
  for (std::size_t k = 0; k <= d.radial_mlp.size(); ++k) {
    const RowMatrix matrix = parameters.matrix(block + "radial." + std::to_string(k));
    const bool last = k == d.radial_mlp.size();
    const auto whole = [](Eigen::Index n) { return (n + k_channel_block - 1) / k_channel_block * k_channel_block; };
    const Eigen::Index width = last ? d.channels : matrix.cols();
    layers_.push_back(pack<double>(matrix, {matrix.rows(), whole(matrix.rows()), width,
                                            last ? padded_channels : whole(matrix.cols())}));
  }
  if (parameters.has(block + "density")) density_ = parameters.matrix(block + "density");
}

void RadialNetwork::multiply(std::size_t layer, std::size_t n_rows, Scratch& scratch) const {
  const PackedMatrix<double>& matrix = layers_[layer];
  AlignedBuffer<double>&from = scratch.rows[layer % 2], &to = scratch.rows[(layer + 1) % 2];
  to.reserve(n_rows * static_cast<std::size_t>(matrix.n_out));
  scratch.x.clear();
  scratch.y.clear();
  for (std::size_t r = 0; r < n_rows; ++r) {
    scratch.x.push_back(from.data() + r * static_cast<std::size_t>(matrix.n_in));
    scratch.y.push_back(to.data() + r * static_cast<std::size_t>(matrix.n_out));
  }
  kernels::fused_table<double>().multiply({static_cast<std::int64_t>(n_rows), matrix.n_in, matrix.n_out,
                                           scratch.x.data(), scratch.y.data(), matrix.values.data(), false, nullptr});
}

void RadialNetwork::activate(std::size_t layer, std::size_t n, bool with_slopes, double* rows) const {
  const std::size_t size = n * static_cast<std::size_t>(layers_[layer].n_out);
  for (std::size_t k = 0; k < size; ++k) {
    const Activation f = scaled_silu(rows[k], activation_norm_);
    rows[k] = f.value;
    if (with_slopes) rows[size + k] *= f.slope;
  }
}

const double* RadialNetwork::evaluate(std::size_t n, const double* basis, const double* slopes, Scratch& scratch) const {
  const std::size_t n_rows = slopes == nullptr ? n : 2 * n, n_in = static_cast<std::size_t>(layers_[0].n_in);
  scratch.rows[0].assign_zero(n_rows * n_in);
  for (std::size_t r = 0; r < n_rows; ++r) {
    const double* source = r < n ? basis + r * basis_size_ : slopes + (r - n) * basis_size_;
    std::copy(source, source + n_radial_, scratch.rows[0].data() + r * n_in);
  }
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) {
    multiply(layer, n_rows, scratch);
    if (layer + 1 < layers_.size()) activate(layer, n, slopes != nullptr, scratch.rows[(layer + 1) % 2].data());
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

}  // namespace tamiz::mace
