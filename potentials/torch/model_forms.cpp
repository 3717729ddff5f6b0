#include "tamiz/potentials/torch/model_forms.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <utility>

namespace tamiz::torch_engine {
namespace {

template <typename Real>
const Real* data(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.const_data_ptr<Real>() : nullptr;
}

/// Calls `body(Real{})` for the dtype of a tensor.
template <typename Body>
void with_type(const at::Tensor& tensor, Body body) {
  if (tensor.scalar_type() == at::kDouble)
    body(double{});
  else
    body(float{});
}

class ConvolutionForm final : public Form {
 public:
  ConvolutionForm(ShardPointer shard, std::shared_ptr<const ConvolutionPlan> plan, std::int64_t channels)
      : shard_(std::move(shard)), plan_(std::move(plan)), channels_(channels) {}

  int n_factors() const override { return 4; }

  at::Tensor derivative(int slot, const Factors& f) const override {
    const at::Tensor& some = f[slot == slots::k_harmonics ? slots::k_radial : slots::k_harmonics];
    at::Tensor result = at::zeros(shape(slot), some.options());
    with_type(some, [&](auto type) { run<decltype(type)>(slot, f, result); });
    return result;
  }

 private:
  std::vector<std::int64_t> shape(int slot) const {
    const std::int64_t features = (plan_->input_l() + 1) * (plan_->input_l() + 1);
    if (slot == slots::k_harmonics) return {shard_->n_edges, shard_->n_harmonics};
    if (slot == slots::k_radial) return {shard_->n_edges, plan_->n_paths() * channels_};
    if (slot == slots::k_features) return {features, shard_->n_atoms, channels_};
    return {plan_->rows_per_atom() * shard_->n_atoms * channels_};
  }

  template <typename Real>
  void run(int slot, const Factors& f, at::Tensor& result) const {
    const kernels::ConvolutionTables tables = plan_->view();
    std::vector<Real> scratch(static_cast<std::size_t>(tables.n_links + channels_));
    std::vector<std::int64_t> offsets(static_cast<std::size_t>(tables.n_links));
    const auto factor = [&](int k) { return k == slot ? nullptr : data<Real>(f[static_cast<std::size_t>(k)]); };
    const kernels::ConvolutionArguments<Real> arguments{
        tables, shard_->n_atoms, channels_, shard_->first.data(), shard_->neighbors.data(),
        factor(slots::k_harmonics), factor(slots::k_radial), factor(slots::k_features), factor(slots::k_output),
        scratch.data(), offsets.data(), result.mutable_data_ptr<Real>()};
    const auto& table = kernels::table<Real>();
    if (slot == slots::k_harmonics) table.convolution_harmonics(arguments);
    if (slot == slots::k_radial) table.convolution_radial(arguments);
    if (slot == slots::k_features) table.convolution_features(arguments);
    if (slot == slots::k_output) table.convolution_output(arguments);
  }

  ShardPointer shard_;
  std::shared_ptr<const ConvolutionPlan> plan_;
  std::int64_t channels_;
};

class SplineForm final : public Form {
 public:
  SplineForm(ShardPointer shard, std::int64_t n_coefficients) : shard_(std::move(shard)), n_coefficients_(n_coefficients) {}

  int n_factors() const override { return 3; }

  at::Tensor derivative(int slot, const Factors& f) const override {
    const at::Tensor& wide = f[slot == slots::k_table ? slots::k_values : slots::k_table];
    const std::int64_t width = wide.size(1);
    at::Tensor result;
    if (slot == slots::k_weights) result = at::empty({shard_->n_edges, 4}, wide.options());
    if (slot == slots::k_table) result = at::zeros({n_coefficients_, width}, wide.options());
    if (slot == slots::k_values) result = at::empty({shard_->n_edges, width}, wide.options());
    with_type(wide, [&](auto type) { run<decltype(type)>(slot, f, width, result); });
    return result;
  }

 private:
  template <typename Real>
  void run(int slot, const Factors& f, std::int64_t width, at::Tensor& result) const {
    const auto factor = [&](int k) { return k == slot ? nullptr : data<Real>(f[static_cast<std::size_t>(k)]); };
    const kernels::SplineArguments<Real> arguments{
        shard_->n_edges, width, shard_->spline_first.data(), factor(slots::k_weights), factor(slots::k_table),
        factor(slots::k_values), result.mutable_data_ptr<Real>()};
    const auto& table = kernels::table<Real>();
    if (slot == slots::k_weights) table.spline_weights(arguments);
    if (slot == slots::k_table) table.spline_table(arguments);
    if (slot == slots::k_values) table.spline_output(arguments);
  }

  ShardPointer shard_;
  std::int64_t n_coefficients_;
};

class ElementLinearForm final : public Form {
 public:
  ElementLinearForm(ShardPointer shard, int n_l, std::int64_t n_elements, std::int64_t channels)
      : shard_(std::move(shard)), n_elements_(n_elements), channels_(channels) {
    for (int l = 0; l <= n_l; ++l) l_begin_.push_back(l * l);
  }

  int n_factors() const override { return 3; }

  at::Tensor derivative(int slot, const Factors& f) const override {
    const at::Tensor& some = f[slot == slots::k_x ? slots::k_y : slots::k_x];
    const auto n_l = static_cast<std::int64_t>(l_begin_.size()) - 1;
    at::Tensor result = slot == slots::k_matrix
                            ? at::zeros({n_l, n_elements_, channels_, channels_}, some.options())
                            : at::empty({l_begin_.back(), shard_->n_atoms, channels_}, some.options());
    // By x it is the same product with the matrices transposed.
    const at::Tensor matrix = slot == slots::k_x ? f[slots::k_matrix].transpose(-1, -2).contiguous() : f[slots::k_matrix];
    with_type(some, [&](auto type) {
      using Real = decltype(type);
      const kernels::ElementLinearArguments<Real> arguments{
          n_l, n_elements_, shard_->n_atoms, channels_, channels_, l_begin_.data(), shard_->elements.data(),
          data<Real>(slot == slots::k_x ? f[slots::k_y] : f[slots::k_x]),
          slot == slots::k_matrix ? nullptr : data<Real>(matrix),
          slot == slots::k_matrix ? data<Real>(f[slots::k_y]) : nullptr, result.mutable_data_ptr<Real>()};
      if (slot == slots::k_matrix)
        kernels::table<Real>().element_linear_weights(arguments);
      else
        kernels::table<Real>().element_linear(arguments);
    });
    return result;
  }

 private:
  ShardPointer shard_;
  std::int64_t n_elements_, channels_;
  std::vector<std::int32_t> l_begin_;
};

}  // namespace

c10::intrusive_ptr<Form> convolution_form(ShardPointer shard, std::shared_ptr<const ConvolutionPlan> plan,
                                          std::int64_t channels) {
  return c10::make_intrusive<ConvolutionForm>(std::move(shard), std::move(plan), channels);
}

c10::intrusive_ptr<Form> spline_form(ShardPointer shard, std::int64_t n_coefficients) {
  return c10::make_intrusive<SplineForm>(std::move(shard), n_coefficients);
}

c10::intrusive_ptr<Form> element_linear_form(ShardPointer shard, int n_l, std::int64_t n_elements,
                                             std::int64_t channels) {
  return c10::make_intrusive<ElementLinearForm>(std::move(shard), n_l, n_elements, channels);
}

}  // namespace tamiz::torch_engine
