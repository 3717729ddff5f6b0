#include "tamiz/potentials/engine/mace/tangent_pass.hpp"

#include <algorithm>

namespace tamiz::mace {
namespace {

template <typename Real>
std::size_t size_of(const PackedMatrix<Real>& matrix) {
  return static_cast<std::size_t>(matrix.n_in * matrix.n_out);
}

}  // namespace

template <typename Real>
KeptRows TangentPass<Real>::kept(const KeptRows& values) {
  KeptRows kept = values;
  for (auto& kinds : kept)
    for (const Row local : {Row::d_contracted, Row::d_message, Row::d_up})
      kinds[static_cast<std::size_t>(local)] = Keep::none;
  return kept;
}

template <typename Real>
kernels::ContractTangentArguments<Real> TangentPass<Real>::contraction(std::size_t t, std::size_t k) const {
  const ContractionPlan& plan = layer(t).contraction;
  return {plan.n_outputs,
          plan.n_inputs,
          static_cast<std::int64_t>(channels_),
          static_cast<std::int64_t>(plan.coefficients.size()),
          plan.nodes.data(),
          plan.leaves.data(),
          element_.layers[t].contraction.data(),
          value(Row::message, t, k),
          tangent(Row::message, t, k),
          nullptr,
          nullptr,
          nullptr,
          nullptr};
}

template <typename Real>
void TangentPass<Real>::forward(std::size_t t) {
  if (t == 0) move_edges();
  convolve(t);
  this->to_message(t);
  if (layer(t).shape.density) divide_by_density(t);
  for (std::size_t k = 0; k < n_atoms(); ++k) {
    auto arguments = contraction(t, k);
    arguments.result = tangent(Row::contracted, t, k);
    kernels::fused_table<Real>().contract_tangent(arguments);
  }
  this->to_features_behind(t, nullptr);
  if (!is_last(t)) this->to_up(t + 1);
}

template <typename Real>
void TangentPass<Real>::read_out(std::size_t t, WeightGradients<Real>* gradients) {
  const ReadOut& net = layer(t).read_out;
  const std::size_t n_members = net.n_members();
  std::array<double*, 2> by_weights{};
  for (std::size_t k = 0; gradients != nullptr && k < net.layers().size(); ++k)
    by_weights[k] = gradients->wide.at({WeightKey::read_out, t, k}, static_cast<std::size_t>(net.layers()[k].size()));
  scratch_.read_out.assign(channels_, Real(0));
  for (std::size_t k = 0; k < n_atoms(); ++k) {
    const auto structure = static_cast<std::size_t>(direction_.structure_of[atom(k)]);
    const std::span<const double> seeds(direction_.members.data() + structure * n_members, n_members);
    net.tangent(
        value(Row::features, t + 1, k), tangent(Row::features, t + 1, k), seeds, std::span<Real>(scratch_.read_out),
        gradients == nullptr ? std::span<double* const>() : std::span<double* const>(by_weights), scratch_.hidden);
    Real* target = tangent(Row::d_features, t + 1, k);
    if (is_last(t))
      std::copy(scratch_.read_out.begin(), scratch_.read_out.end(), target);
    else
      for (std::size_t c = 0; c < channels_; ++c) target[c] += scratch_.read_out[c];
  }
}

/// gradient += Σ over atoms and m of the tangent of input(k, m) ⊗ row by(k, m); input takes a function that gives rows.
template <typename Real>
template <typename Input>
void TangentPass<Real>::accumulate(Real* gradient, const PackedMatrix<Real>& matrix, std::size_t l, Row by,
                                   std::size_t t_by, const Input& input) {
  scratch_.x.clear();
  scratch_.u.clear();
  for (std::size_t k = 0; k < n_atoms(); ++k)
    for (std::size_t m = 0; m < 2 * l + 1; ++m) {
      const std::size_t place = (l * l + m) * channels_;
      const auto [x, x_tangent] = input(k, m);
      scratch_.x.push_back(x_tangent);
      scratch_.u.push_back(value(by, t_by, k) + place);
      scratch_.x.push_back(x);
      scratch_.u.push_back(tangent(by, t_by, k) + place);
    }
  kernels::fused_table<Real>().accumulate({static_cast<std::int64_t>(scratch_.x.size()), matrix.n_in, matrix.n_out,
                                           scratch_.x.data(), scratch_.u.data(), gradient});
}

template <typename Real>
void TangentPass<Real>::accumulate(Real* gradient, const PackedMatrix<Real>& matrix, std::size_t l, Row by,
                                   std::size_t t_by, Row input, std::size_t t_input) {
  accumulate(gradient, matrix, l, by, t_by, [&](std::size_t k, std::size_t m) {
    const std::size_t place = (l * l + m) * channels_;
    return std::pair<const Real*, const Real*>(value(input, t_input, k) + place, tangent(input, t_input, k) + place);
  });
}

/// Of a row of constants that is added to the scalars of every atom of the element.
template <typename Real>
void TangentPass<Real>::accumulate_constants(const WeightKey& key, Row by, std::size_t t,
                                             WeightGradients<Real>* gradients) {
  Real* gradient = gradients->packed.at(key, channels_);
  for (std::size_t k = 0; k < n_atoms(); ++k)
    for (std::size_t c = 0; c < channels_; ++c) gradient[c] += tangent(by, t, k)[c];
}

template <typename Real>
void TangentPass<Real>::behind_contraction(std::size_t t, WeightGradients<Real>* gradients) {
  const auto& product = layer(t).product;
  for (std::size_t l = 0; l < product.size(); ++l)
    accumulate(gradients->packed.at({WeightKey::product, t, l}, size_of(product[l].forth)), product[l].forth, l,
               Row::d_features, t + 1, Row::contracted, t);
  const auto& skip = element_.layers[t].skip;
  for (std::size_t l = 0; l < skip.size(); ++l)
    accumulate(gradients->packed.at({WeightKey::skip, t, l, element()}, size_of(skip[l].forth)), skip[l].forth, l,
               Row::d_features, t + 1, Row::features, t);
  if (t == 0 && layer(t).shape.residual)
    accumulate_constants({WeightKey::skipped, t, 0, element()}, Row::d_features, t + 1, gradients);
}

template <typename Real>
void TangentPass<Real>::before_contraction(std::size_t t, WeightGradients<Real>* gradients) {
  const ConvolutionPlan<Real>& plan = layer(t).convolution;
  for (std::size_t l = 0; l < plan.slots.size(); ++l) {
    const PackedMatrix<Real>& matrix = this->message_weights(t)[l].forth;
    const std::size_t width = static_cast<std::size_t>(plan.slots[l]) * channels_;
    const WeightKey key{WeightKey::message, t, l, layer(t).shape.residual ? 0 : element()};
    accumulate(
        gradients->packed.at(key, size_of(matrix)), matrix, l, Row::d_message, t, [&](std::size_t k, std::size_t m) {
          const std::size_t place = plan.begin[l] + m * width;
          return std::pair<const Real*, const Real*>(value(Row::sum, t, k) + place, tangent(Row::sum, t, k) + place);
        });
  }
}

template <typename Real>
void TangentPass<Real>::to_sums(std::size_t t, WeightGradients<Real>* gradients) {
  read_out(t, gradients);
  if (gradients != nullptr) behind_contraction(t, gradients);
  this->back_to_contracted(t);
  const std::size_t n_coefficients = layer(t).contraction.coefficients.size() * channels_;
  if (gradients == nullptr) scratch_.unused.assign_zero(n_coefficients);
  Real* by_coefficients = gradients == nullptr
                              ? scratch_.unused.data()
                              : gradients->packed.at({WeightKey::contraction, t, 0, element()}, n_coefficients);
  for (std::size_t k = 0; k < n_atoms(); ++k) {
    auto arguments = contraction(t, k);
    arguments.weights = value(Row::d_contracted, t, k);
    arguments.weights_tangent = tangent(Row::d_contracted, t, k);
    arguments.result = tangent(Row::d_message, t, k);
    arguments.d_coefficients = by_coefficients;
    kernels::fused_table<Real>().contract_reverse_tangent(arguments);
  }
  if (layer(t).shape.density) density_backward(t, gradients);
  if (gradients != nullptr) before_contraction(t, gradients);
  this->back_to_sum(t);
  if (t > 0) this->back_along_skip(t);
}

template <typename Real>
void TangentPass<Real>::to_features(std::size_t t, WeightGradients<Real>* gradients) {
  send_backward(t, gradients);
  if (t == 0) {
    if (gradients != nullptr) accumulate_constants({WeightKey::features, t, 0, element()}, Row::d_up, t, gradients);
    return;
  }
  const auto& up = layer(t).up;
  for (std::size_t l = 0; gradients != nullptr && l < up.size(); ++l)
    accumulate(gradients->packed.at({WeightKey::up, t, l}, size_of(up[l].forth)), up[l].forth, l, Row::d_up, t,
               Row::features, t);
  this->back_to_features(t);
}

template class TangentPass<float>;
template class TangentPass<double>;

}  // namespace tamiz::mace
