#include "tamiz/potentials/engine/mace/block_pass.hpp"

#include <algorithm>

namespace tamiz::mace {

template <typename Real>
void BlockPass<Real>::find_message(std::size_t t) {
  convolve(t);
  this->to_message(t);
  if (layer(t).shape.density) divide_by_density(t);
}

template <typename Real>
void BlockPass<Real>::contract(std::size_t t, bool with_gradient) {
  const ContractionPlan& plan = layer(t).contraction;
  for (std::size_t k = 0; k < n_atoms(); ++k) {
    const kernels::ContractArguments<Real> arguments{plan.n_outputs,
                                                     plan.n_inputs,
                                                     static_cast<std::int64_t>(channels_),
                                                     static_cast<std::int64_t>(plan.coefficients.size()),
                                                     plan.nodes.data(),
                                                     plan.leaves.data(),
                                                     element_.layers[t].contraction.data(),
                                                     row(Row::message, t, k),
                                                     nullptr,
                                                     row(Row::contracted, t, k),
                                                     row(Row::d_message, t, k)};
    if (with_gradient)
      kernels::fused_table<Real>().contract_gradient(arguments);
    else
      kernels::fused_table<Real>().contract(arguments);
  }
}

template <typename Real>
void BlockPass<Real>::read_out(std::size_t t, const Request& request) {
  const std::size_t n_members = request.members ? layer(t).read_out.n_members() : 0;
  const bool with_gradient = is_last(t) && request.derivatives;
  for (std::size_t k = 0; k < n_atoms(); ++k) {
    const std::span<double> members(space_.members.data() + atom(k) * n_members, n_members);
    std::span<Real> gradient;
    if (with_gradient) {
      gradient = {row(Row::d_features, t + 1, k), channels_};
      std::fill(gradient.begin(), gradient.end(), Real(0));
    }
    space_.energies[atom(k)] += layer(t).read_out(row(Row::features, t + 1, k), gradient, members, scratch_.hidden);
  }
}

/// To the derivatives by the features that leave layer t.
template <typename Real>
void BlockPass<Real>::add_read_out_gradient(std::size_t t) {
  scratch_.read_out.assign(channels_, Real(0));
  for (std::size_t k = 0; k < n_atoms(); ++k) {
    layer(t).read_out(row(Row::features, t + 1, k), std::span<Real>(scratch_.read_out), {}, scratch_.hidden);
    for (std::size_t c = 0; c < channels_; ++c) row(Row::d_features, t + 1, k)[c] += scratch_.read_out[c];
  }
}

template <typename Real>
void BlockPass<Real>::forward(std::size_t t, const Request& request) {
  const bool turn = is_last(t) && request.derivatives;
  if (t == 0)
    for (std::size_t k = 0; k < n_atoms(); ++k) model_.write_harmonics(space_.atoms, atom(k), nullptr);
  find_message(t);
  contract(t, turn);
  this->to_features_behind(t, t == 0 && layer(t).shape.residual ? element_.skipped.data() : nullptr);
  if (!is_last(t)) this->to_up(t + 1);
  read_out(t, request);
  if (turn) to_sums(t);
}

/// From the derivatives by the features that leave layer t to those by its sums.
template <typename Real>
void BlockPass<Real>::to_sums(std::size_t t) {
  this->back_to_contracted(t);
  contraction_backward(t);
  if (layer(t).shape.density) density_backward(t);
  this->back_to_sum(t);
  if (t == 0)
    receive_backward();
  else
    this->back_along_skip(t);
}

/// The contraction of the last layer, which has one output, left its gradient when it went forth.
template <typename Real>
void BlockPass<Real>::contraction_backward(std::size_t t) {
  const ContractionPlan& plan = layer(t).contraction;
  for (std::size_t k = 0; k < n_atoms(); ++k) {
    Real* gradient = row(Row::d_message, t, k);
    const Real* weights = row(Row::d_contracted, t, k);
    if (is_last(t)) {
      for (std::size_t m = 0; m < harmonics_; ++m)
        for (std::size_t c = 0; c < channels_; ++c) gradient[m * channels_ + c] *= weights[c];
      continue;
    }
    kernels::fused_table<Real>().contract_gradient(
        {plan.n_outputs, plan.n_inputs, static_cast<std::int64_t>(channels_),
         static_cast<std::int64_t>(plan.coefficients.size()), plan.nodes.data(), plan.leaves.data(),
         element_.layers[t].contraction.data(), row(Row::message, t, k), weights, nullptr, gradient});
  }
}

template <typename Real>
void BlockPass<Real>::backward(std::size_t t) {
  send_backward(t);
  this->back_to_features(t);
  add_read_out_gradient(t - 1);
  // Where rows are few, it is worked out once more.
  if (!this->is_kept(Row::message, t - 1)) find_message(t - 1);
  to_sums(t - 1);
}

template class BlockPass<float>;
template class BlockPass<double>;

}  // namespace tamiz::mace
