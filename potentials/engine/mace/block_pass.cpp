#include "tamiz/potentials/engine/mace/block_pass.hpp"

#include <algorithm>

#include "tamiz/potentials/engine/equivariance/spherical_harmonics.hpp"

namespace tamiz::mace {

template <typename Real>
FusedModel<Real>::BlockPass::BlockPass(const FusedModel& model, Workspace<Real>& space, BlockScratch<Real>& scratch,
                                       const Block& block)
    : model_(model),
      space_(space),
      scratch_(scratch),
      block_(block),
      element_(model.weights_.element(static_cast<std::size_t>(block.element))),
      channels_(static_cast<std::size_t>(model.weights_.channels())),
      harmonics_(static_cast<std::size_t>(n_harmonics(model.weights_.description().l_max))) {}

template <typename Real>
const std::vector<TwoWayMatrix<Real>>& FusedModel<Real>::BlockPass::message_weights(std::size_t t) const {
  return layer(t).shape.residual ? layer(t).message : element_.layers[t].message;
}

template <typename Real>
Real* FusedModel<Real>::BlockPass::features(std::size_t t, std::size_t k) {
  return space_.layers[t].features.data() + atom(k) * model_.feature_stride(t);
}
template <typename Real>
Real* FusedModel<Real>::BlockPass::d_features(std::size_t t, std::size_t k) {
  return space_.layers[t].d_features.data() + atom(k) * model_.feature_stride(t);
}
template <typename Real>
Real* FusedModel<Real>::BlockPass::d_sum(std::size_t t, std::size_t k) {
  const std::size_t stride = odd_lines<Real>(layer(t).convolution.sum_size);
  return t == 0 ? scratch_.d_sum.data() + k * stride : space_.layers[t].d_sum.data() + atom(k) * stride;
}
template <typename Real>
Real* FusedModel<Real>::BlockPass::message(std::size_t t, std::size_t k) {
  const std::size_t stride = harmonics_ * channels_;
  return is_last(t) ? scratch_.message.data() + k * stride : space_.layers[t].message.data() + atom(k) * stride;
}

/// Rows m of l of every atom k: output(k, m) = input(k, m)·matrix, or added to it.
template <typename Real>
template <typename Input, typename Output>
void FusedModel<Real>::BlockPass::multiply(const PackedMatrix<Real>& matrix, int l, bool add, const Input& input,
                                           const Output& output, const std::int32_t* places) {
  scratch_.x.clear();
  scratch_.y.clear();
  for (std::size_t k = 0; k < block_.atoms.size(); ++k)
    for (std::size_t m = 0; m < static_cast<std::size_t>(2 * l + 1); ++m) {
      scratch_.x.push_back(input(k, m));
      scratch_.y.push_back(output(k, m));
    }
  kernels::fused_table<Real>().multiply({static_cast<std::int64_t>(scratch_.x.size()), matrix.n_in, matrix.n_out,
                                         scratch_.x.data(), scratch_.y.data(), matrix.values.data(), add, places});
}

template <typename Real>
void FusedModel<Real>::BlockPass::to_message(std::size_t t) {
  const ConvolutionPlan<Real>& plan = layer(t).convolution;
  scratch_.message.reserve(block_.atoms.size() * harmonics_ * channels_);
  for (std::size_t l = 0; l < plan.slots.size(); ++l) {
    const std::size_t width = static_cast<std::size_t>(plan.slots[l]) * channels_;
    multiply(
        message_weights(t)[l].forth, static_cast<int>(l), false,
        [&](std::size_t k, std::size_t m) {
          return scratch_.sum.data() + k * plan.sum_size + plan.begin[l] + m * width;
        },
        [&](std::size_t k, std::size_t m) { return message(t, k) + (l * l + m) * channels_; });
  }
  if (layer(t).shape.density) divide_by_density(t);
}

template <typename Real>
void FusedModel<Real>::BlockPass::contract(std::size_t t, bool with_gradient) {
  const ContractionPlan& plan = layer(t).contraction;
  const std::size_t n = block_.atoms.size(), outputs = static_cast<std::size_t>(plan.n_outputs) * channels_;
  scratch_.contracted.reserve(n * outputs);
  scratch_.gradient.reserve(n * harmonics_ * channels_);
  for (std::size_t k = 0; k < n; ++k) {
    const kernels::ContractArguments<Real> arguments{plan.n_outputs,
                                                     plan.n_inputs,
                                                     static_cast<std::int64_t>(channels_),
                                                     static_cast<std::int64_t>(plan.coefficients.size()),
                                                     plan.nodes.data(),
                                                     plan.leaves.data(),
                                                     element_.layers[t].contraction.data(),
                                                     message(t, k),
                                                     nullptr,
                                                     scratch_.contracted.data() + k * outputs,
                                                     scratch_.gradient.data() + k * harmonics_ * channels_};
    if (with_gradient) kernels::fused_table<Real>().contract_gradient(arguments);
    else kernels::fused_table<Real>().contract(arguments);
  }
}

/// The features that leave layer t, and those of the next one behind its linear_up.
template <typename Real>
void FusedModel<Real>::BlockPass::leave(std::size_t t) {
  const Layer& now = layer(t);
  const std::size_t outputs = static_cast<std::size_t>(now.contraction.n_outputs) * channels_;
  const auto row = [&](std::size_t l, std::size_t m) { return (l * l + m) * channels_; };
  const auto leaving = [&](std::size_t l) {
    return [&, l](std::size_t k, std::size_t m) { return features(t + 1, k) + row(l, m); };
  };
  for (std::size_t l = 0; l < now.product.size(); ++l)
    multiply(
        now.product[l].forth, static_cast<int>(l), false,
        [&](std::size_t k, std::size_t m) { return scratch_.contracted.data() + k * outputs + row(l, m); }, leaving(l));
  const auto& skip = element_.layers[t].skip;
  for (std::size_t l = 0; l < skip.size(); ++l)
    multiply(
        skip[l].forth, static_cast<int>(l), true,
        [&](std::size_t k, std::size_t m) { return features(t, k) + row(l, m); }, leaving(l));
  if (t == 0 && now.shape.residual)
    for (std::size_t k = 0; k < block_.atoms.size(); ++k)
      for (std::size_t c = 0; c < channels_; ++c) features(1, k)[c] += element_.skipped.data()[c];
  if (is_last(t)) return;
  const std::size_t stride = model_.feature_stride(t + 1);
  for (std::size_t l = 0; l < layer(t + 1).up.size(); ++l)
    multiply(layer(t + 1).up[l].forth, static_cast<int>(l), false, leaving(l), [&](std::size_t k, std::size_t m) {
      return space_.layers[t + 1].up.data() + atom(k) * stride + row(l, m);
    });
}

template <typename Real>
void FusedModel<Real>::BlockPass::read_out(std::size_t t, const Request& request) {
  const std::size_t n_members = request.members ? layer(t).read_out.n_members() : 0;
  const bool with_gradient = is_last(t) && request.derivatives;
  for (std::size_t k = 0; k < block_.atoms.size(); ++k) {
    const std::span<double> members(space_.members.data() + atom(k) * n_members, n_members);
    std::span<Real> gradient;
    if (with_gradient) {
      gradient = {d_features(t + 1, k), channels_};
      std::fill(gradient.begin(), gradient.end(), Real(0));
    }
    space_.energies[atom(k)] += layer(t).read_out(features(t + 1, k), gradient, members, scratch_.hidden);
  }
}

/// To the derivatives by the features that leave layer t.
template <typename Real>
void FusedModel<Real>::BlockPass::add_read_out_gradient(std::size_t t) {
  scratch_.read_out.assign(channels_, Real(0));
  for (std::size_t k = 0; k < block_.atoms.size(); ++k) {
    layer(t).read_out(features(t + 1, k), std::span<Real>(scratch_.read_out), {}, scratch_.hidden);
    for (std::size_t c = 0; c < channels_; ++c) d_features(t + 1, k)[c] += scratch_.read_out[c];
  }
}

template <typename Real>
void FusedModel<Real>::BlockPass::forward(std::size_t t, const Request& request) {
  const bool turn = is_last(t) && request.derivatives;
  convolve(t);
  to_message(t);
  contract(t, turn);
  leave(t);
  read_out(t, request);
  if (turn) to_sums(t);
}

/// From the derivatives by the features that leave layer t to those by its sums.
template <typename Real>
void FusedModel<Real>::BlockPass::to_sums(std::size_t t) {
  const Layer& now = layer(t);
  const ContractionPlan& contraction = now.contraction;
  const std::size_t n = block_.atoms.size(), inputs = harmonics_ * channels_;
  const std::size_t outputs = static_cast<std::size_t>(contraction.n_outputs) * channels_;
  const auto row = [&](std::size_t l, std::size_t m) { return (l * l + m) * channels_; };
  scratch_.d_contracted.reserve(n * outputs);
  scratch_.d_sum.reserve(n * odd_lines<Real>(now.convolution.sum_size));
  for (std::size_t l = 0; l < now.product.size(); ++l)
    multiply(
        now.product[l].back, static_cast<int>(l), false,
        [&](std::size_t k, std::size_t m) { return d_features(t + 1, k) + row(l, m); },
        [&](std::size_t k, std::size_t m) { return scratch_.d_contracted.data() + k * outputs + row(l, m); });
  contraction_backward(t);
  if (now.shape.density) density_backward(t);
  for (std::size_t l = 0; l < now.convolution.slots.size(); ++l) {
    const std::size_t width = static_cast<std::size_t>(now.convolution.slots[l]) * channels_;
    multiply(
        message_weights(t)[l].back, static_cast<int>(l), false,
        [&](std::size_t k, std::size_t m) { return scratch_.gradient.data() + k * inputs + row(l, m); },
        [&](std::size_t k, std::size_t m) {
          return d_sum(t, k) + (now.convolution.begin[l] + m * width) / channels_ * k_lanes;
        },
        now.convolution.places[l].data());
  }
  if (t == 0) return receive_backward();
  for (std::size_t k = 0; k < n; ++k) std::fill_n(d_features(t, k), model_.feature_stride(t), Real(0));
  const auto& skip = element_.layers[t].skip;
  for (std::size_t l = 0; l < skip.size(); ++l)
    multiply(
        skip[l].back, static_cast<int>(l), false,
        [&](std::size_t k, std::size_t m) { return d_features(t + 1, k) + row(l, m); },
        [&](std::size_t k, std::size_t m) { return d_features(t, k) + row(l, m); });
}

/// The contraction of the last layer, which has one output, left its gradient when it went forth.
template <typename Real>
void FusedModel<Real>::BlockPass::contraction_backward(std::size_t t) {
  const ContractionPlan& plan = layer(t).contraction;
  const std::size_t inputs = harmonics_ * channels_, outputs = static_cast<std::size_t>(plan.n_outputs) * channels_;
  scratch_.gradient.reserve(block_.atoms.size() * inputs);
  for (std::size_t k = 0; k < block_.atoms.size(); ++k) {
    Real* gradient = scratch_.gradient.data() + k * inputs;
    const Real* weights = scratch_.d_contracted.data() + k * outputs;
    if (is_last(t)) {
      for (std::size_t m = 0; m < harmonics_; ++m)
        for (std::size_t c = 0; c < channels_; ++c) gradient[m * channels_ + c] *= weights[c];
      continue;
    }
    kernels::fused_table<Real>().contract_gradient({plan.n_outputs,
                                                    plan.n_inputs,
                                                    static_cast<std::int64_t>(channels_),
                                                    static_cast<std::int64_t>(plan.coefficients.size()),
                                                    plan.nodes.data(),
                                                    plan.leaves.data(),
                                                    element_.layers[t].contraction.data(),
                                                    message(t, k),
                                                    weights,
                                                    nullptr,
                                                    gradient});
  }
}

/// From the sums of layer t to the features that enter it.
template <typename Real>
void FusedModel<Real>::BlockPass::to_features(std::size_t t) {
  const std::size_t stride = model_.feature_stride(t);
  send_backward(t);
  for (std::size_t l = 0; l < layer(t).up.size(); ++l) {
    const auto row = [&](std::size_t m) { return (l * l + m) * channels_; };
    multiply(
        layer(t).up[l].back, static_cast<int>(l), true,
        [&](std::size_t k, std::size_t m) { return scratch_.d_up.data() + k * stride + row(m); },
        [&](std::size_t k, std::size_t m) { return d_features(t, k) + row(m); });
  }
  add_read_out_gradient(t - 1);
}

template <typename Real>
void FusedModel<Real>::BlockPass::backward(std::size_t t) {
  to_features(t);
  to_sums(t - 1);
}

template class FusedModel<float>::BlockPass;
template class FusedModel<double>::BlockPass;

}  // namespace tamiz::mace
