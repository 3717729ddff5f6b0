#include "tamiz/potentials/torch/mace_model.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros.h>

#include <utility>

namespace tamiz::torch_engine {
namespace {

/// Row-major doubles as a tensor.
at::Tensor matrix_tensor(const double* values, std::int64_t rows, std::int64_t columns, const at::TensorOptions& options) {
  at::Tensor tensor = at::empty({rows, columns}, at::kDouble);
  std::copy(values, values + rows * columns, tensor.mutable_data_ptr<double>());
  return tensor.to(options);
}

/// The radial network: linear layers with a normalised SiLU between them.
at::Tensor network(at::Tensor x, const std::vector<at::Tensor>& layers, double activation_norm) {
  for (std::size_t k = 0; k < layers.size(); ++k) {
    x = at::mm(x, layers[k]);
    if (k + 1 < layers.size()) x = at::silu(x) * activation_norm;
  }
  return x;
}

/// The radial network of a basis (E, n_radial), or (E, n_radial + 1) with the envelope last, which then multiplies what
/// comes out.
at::Tensor radial_network(const ModelDescription& d, const at::Tensor& basis, const std::vector<at::Tensor>& layers) {
  if (!d.envelope_on_weights) return network(basis, layers, d.activation_norm);
  return network(basis.narrow(1, 0, d.n_radial), layers, d.activation_norm) * basis.narrow(1, d.n_radial, 1);
}

/// What one neighbour adds to the density, tanh((b·w)²).
at::Tensor edge_density(const ModelDescription& d, const at::Tensor& basis, const at::Tensor& matrix) {
  const at::Tensor x = at::mm(d.envelope_on_weights ? basis.narrow(1, 0, d.n_radial) : basis, matrix);
  const at::Tensor value = at::tanh(x * x);
  return d.envelope_on_weights ? value * basis.narrow(1, d.n_radial, 1) : value;
}

/// Spline coefficients of all tables from values at their nodes.
at::Tensor coefficients(const at::Tensor& matrix, const at::Tensor& values) {
  const std::int64_t tables = values.size(0) / matrix.size(1);
  if (tables == 1) return at::mm(matrix, values);
  return at::matmul(matrix, values.view({tables, matrix.size(1), -1})).reshape({-1, values.size(1)});
}

/// Rows [l², (l + 1)²) of x (components, N, C) times matrix l, for every l; components = Σ (2l + 1).
at::Tensor linear_per_l(const at::Tensor& x, const std::vector<at::Tensor>& matrices) {
  std::vector<at::Tensor> parts;
  for (std::size_t k = 0; k < matrices.size(); ++k) {
    const auto l = static_cast<std::int64_t>(k);
    parts.push_back(at::mm(x.narrow(0, l * l, 2 * l + 1).reshape({-1, x.size(2)}), matrices[k]));
  }
  const at::Tensor joined = parts.size() == 1 ? parts[0] : at::cat(parts, 0);
  return joined.view({-1, x.size(1), matrices[0].size(1)});
}

/// x (components, N, C) with y added to its first components; the others have no counterpart in y.
at::Tensor add_to_first(const at::Tensor& x, const at::Tensor& y) {
  if (x.size(0) == y.size(0)) return x + y;
  return at::cat({x.narrow(0, 0, y.size(0)) + y, x.narrow(0, y.size(0), x.size(0) - y.size(0))}, 0);
}

}  // namespace

void AppliedWeights::visit(const std::function<void(at::Tensor&)>& use) {
  use(embedding);
  for (Interaction& interaction : interactions) {
    for (auto* list : {&interaction.linear_up, &interaction.radial, &interaction.linear})
      for (at::Tensor& tensor : *list) use(tensor);
    if (interaction.density.defined()) use(interaction.density);
    use(interaction.skip);
    use(interaction.contraction);
    for (auto* list : {&interaction.product, &interaction.readout})
      for (at::Tensor& tensor : *list) use(tensor);
  }
}

AppliedWeights AppliedWeights::detached(bool with_gradient) const {
  AppliedWeights copy = *this;
  copy.visit([&](at::Tensor& tensor) { tensor = tensor.detach().contiguous().requires_grad_(with_gradient); });
  return copy;
}

std::vector<at::Tensor> AppliedWeights::flat() {
  std::vector<at::Tensor> tensors;
  visit([&](at::Tensor& tensor) { tensors.push_back(tensor); });
  return tensors;
}

MaceModel::MaceModel(ModelDescription description, at::ScalarType dtype, Placement placement)
    : description_(std::move(description)),
      dtype_(dtype),
      placement_(placement),
      specs_(model_parameters(description_)),
      shapes_(interaction_shapes(description_)),
      radial_(description_) {
  const auto options = at::TensorOptions(dtype).device(placement.device);
  if (radial_.splined()) {
    const std::vector<double> basis = radial_.basis_at_nodes();
    const std::int64_t width = radial_.basis_size();
    spline_nodes_ = matrix_tensor(basis.data(), static_cast<std::int64_t>(basis.size()) / width, width, options);
    const Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> matrix = radial_.spline().matrix();
    spline_matrix_ = matrix_tensor(matrix.data(), matrix.rows(), matrix.cols(), options);
  }
  for (const InteractionShape& shape : shapes_) {
    convolutions_.push_back(std::make_shared<ConvolutionPlan>(shape.input_l, description_.l_max));
    polynomials_.push_back(std::make_shared<PolynomialPlan>(description_.l_max, shape.output_l, description_.correlation));
    auto& matrices = contraction_matrices_.emplace_back();
    for (const auto& part : polynomials_.back()->parts())
      matrices.push_back(matrix_tensor(part.matrix.data(), part.end - part.begin, part.n_maps, options));
    if (placement.kernels) continue;
    tensor_convolutions_.emplace_back(shape.input_l, description_.l_max, options);
    tensor_polynomials_.emplace_back(*polynomials_.back(), options);
  }
}

/// Walks through the parameters in the order of model_parameters().
class MaceModel::WeightBuilder {
 public:
  WeightBuilder(const MaceModel& model, const std::vector<at::Tensor>& parameters)
      : model_(model), parameters_(parameters) {}

  AppliedWeights build() {
    AppliedWeights weights;
    weights.embedding = next();
    for (std::size_t t = 0; t < model_.shapes_.size(); ++t) weights.interactions.push_back(interaction(t));
    return weights;
  }

 private:
  at::Tensor next() {
    const ParameterSpec& spec = model_.specs_[position_];
    const at::Tensor& stored = parameters_[position_++];
    return spec.factor == 1.0 ? stored : at::Tensor(stored * spec.factor);
  }

  std::vector<at::Tensor> next_few(std::size_t count) {
    std::vector<at::Tensor> tensors;
    for (std::size_t k = 0; k < count; ++k) tensors.push_back(next());
    return tensors;
  }

  AppliedWeights::Interaction interaction(std::size_t t) {
    const ModelDescription& d = model_.description_;
    const InteractionShape& shape = model_.shapes_[t];
    AppliedWeights::Interaction weights;
    weights.linear_up = next_few(static_cast<std::size_t>(shape.input_l) + 1);
    weights.radial = next_few(d.radial_mlp.size() + 1);
    if (shape.density) weights.density = next();
    if (model_.radial_.splined()) {
      weights.radial = {coefficients(model_.spline_matrix_, radial_network(d, model_.spline_nodes_, weights.radial))};
      if (shape.density)
        weights.density = coefficients(model_.spline_matrix_, edge_density(d, model_.spline_nodes_, weights.density));
    }
    weights.linear = next_few(static_cast<std::size_t>(d.l_max) + 1);
    if (!shape.density)
      for (at::Tensor& matrix : weights.linear) matrix = matrix / d.average_neighbors;
    const int skip_l = shape.residual ? std::min(shape.input_l, shape.output_l) : d.l_max;
    weights.skip = at::stack(next_few(static_cast<std::size_t>(skip_l) + 1));
    product(t, weights);
    const bool linear_readout = t + 1 < model_.shapes_.size() || t == 0;
    weights.readout = next_few(linear_readout ? 1 : 2);
    return weights;
  }

  void product(std::size_t t, AppliedWeights::Interaction& weights) {
    const PolynomialPlan& plan = *model_.polynomials_[t];
    const auto elements = static_cast<std::int64_t>(model_.description_.elements.size());
    std::vector<at::Tensor> coefficients;
    for (std::size_t p = 0; p < plan.parts().size(); ++p) {
      const PolynomialPlan::Part& part = plan.parts()[p];
      const at::Tensor stored = next();  // (elements, maps, channels)
      if (part.n_maps > 0) {
        const at::Tensor by_map = stored.transpose(0, 1).reshape({part.n_maps, -1});
        coefficients.push_back(
            at::mm(model_.contraction_matrices_[t][p], by_map).view({part.end - part.begin, elements, -1}));
      }
      const bool last_of_l = part.order == model_.description_.correlation;
      if (last_of_l) weights.product.push_back(next());
    }
    weights.contraction = at::cat(coefficients, 0);
  }

  const MaceModel& model_;
  const std::vector<at::Tensor>& parameters_;
  std::size_t position_ = 0;
};

AppliedWeights MaceModel::apply(const std::vector<at::Tensor>& parameters) const {
  return WeightBuilder(*this, parameters).build();
}

at::Tensor MaceModel::radial_weights(const ShardPointer& shard, const AppliedWeights::Interaction& weights,
                                     const at::Tensor& radial) const {
  if (!radial_.splined()) return radial_network(description_, radial, weights.radial);
  return interpolate(shard, radial, weights.radial[0]);
}

at::Tensor MaceModel::interpolate(const ShardPointer& shard, const at::Tensor& radial, const at::Tensor& table) const {
  if (!placement_.kernels) return tensors::interpolate(*shard, radial, table);
  return torch_engine::apply(spline_form(shard, radial_.n_coefficients()), slots::k_values, {radial, table, {}, {}});
}

at::Tensor MaceModel::convolve(const ShardPointer& shard, std::size_t t, const at::Tensor& harmonics,
                               const at::Tensor& weights, const at::Tensor& features) const {
  if (!placement_.kernels) return tensor_convolutions_[t](*shard, harmonics, weights, features);
  return torch_engine::apply(convolution_form(shard, convolutions_[t], description_.channels), slots::k_output,
                             {harmonics, weights, features, {}});
}

at::Tensor MaceModel::mix_elements(const ShardPointer& shard, const at::Tensor& x, const at::Tensor& matrices) const {
  if (!placement_.kernels) return tensors::element_linear(*shard, x, matrices);
  const auto form = element_linear_form(shard, static_cast<int>(matrices.size(0)), matrices.size(1), description_.channels);
  return torch_engine::apply(form, slots::k_y, {x, matrices, {}, {}});
}

at::Tensor MaceModel::contract(const ShardPointer& shard, std::size_t t, const at::Tensor& x,
                               const at::Tensor& coefficients) const {
  if (!placement_.kernels) return tensor_polynomials_[t](*shard, x, coefficients);
  return symmetric_polynomial(shard, polynomials_[t], x, coefficients);
}

at::Tensor MaceModel::density(const ShardPointer& shard, const AppliedWeights::Interaction& weights,
                              const at::Tensor& radial) const {
  const at::Tensor edges = radial_.splined()
                               ? interpolate(shard, radial, weights.density)
                               : edge_density(description_, radial, weights.density);
  return at::zeros({shard->n_atoms, 1}, edges.options()).index_add(0, shard->centre_index, edges);
}

at::Tensor MaceModel::message(const ShardPointer& shard, std::size_t t, const AppliedWeights::Interaction& weights,
                              const at::Tensor& features, const at::Tensor& radial, const at::Tensor& harmonics) const {
  const std::int64_t channels = description_.channels, n = shard->n_atoms;
  const at::Tensor up = linear_per_l(features, weights.linear_up);
  const at::Tensor sum = convolve(shard, t, harmonics, radial_weights(shard, weights, radial), up);
  std::vector<at::Tensor> blocks;
  std::int64_t begin = 0;
  for (std::size_t k = 0; k < weights.linear.size(); ++k) {
    const std::int64_t rows = (2 * static_cast<std::int64_t>(k) + 1) * n, width = weights.linear[k].size(0);
    blocks.push_back(at::mm(sum.narrow(0, begin, rows * width).view({rows, width}), weights.linear[k]));
    begin += rows * width;
  }
  const at::Tensor message = at::cat(blocks, 0).view({-1, n, channels});
  return shapes_[t].density ? message / (density(shard, weights, radial) + 1.0) : message;
}

at::Tensor MaceModel::read_out(const AppliedWeights::Interaction& weights, const at::Tensor& scalars) const {
  return network(scalars, weights.readout, description_.activation_norm);
}

at::Tensor MaceModel::atom_energies(const ShardPointer& shard, const AppliedWeights& weights, const at::Tensor& radial,
                                    const at::Tensor& harmonics, at::Tensor* invariants) const {
  at::Tensor features = weights.embedding.index_select(0, shard->element_index).unsqueeze(0);
  at::Tensor total;
  std::vector<at::Tensor> scalars;
  for (std::size_t t = 0; t < shapes_.size(); ++t) {
    const AppliedWeights::Interaction& w = weights.interactions[t];
    const auto skip = [&](const at::Tensor& x) {
      const std::int64_t n_l = w.skip.size(0);
      return mix_elements(shard, x.narrow(0, 0, n_l * n_l), w.skip);
    };
    at::Tensor sum = message(shard, t, w, features, radial, harmonics);
    if (!shapes_[t].residual) sum = skip(sum);
    at::Tensor next = linear_per_l(contract(shard, t, sum, w.contraction), w.product);
    if (shapes_[t].residual) next = add_to_first(next, skip(features));
    features = next;
    scalars.push_back(features.select(0, 0));
    const at::Tensor energies = read_out(w, scalars.back());
    total = total.defined() ? total + energies : energies;
  }
  if (invariants != nullptr) *invariants = at::cat(scalars, 1);
  return total * description_.scale + description_.shift;
}

}  // namespace tamiz::torch_engine
