#include <ATen/core/grad_mode.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>

#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/torch/model_forms.hpp"

namespace tamiz::torch_engine {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr std::size_t k_widest_block = 16;

/// Graph and monomials, handed through autograd's context.
struct Context : torch::CustomClassHolder {
  Context(ShardPointer s, std::shared_ptr<const PolynomialPlan> p) : shard(std::move(s)), plan(std::move(p)) {}
  ShardPointer shard;
  std::shared_ptr<const PolynomialPlan> plan;
};
using ContextPointer = c10::intrusive_ptr<Context>;

ContextPointer context_of(AutogradContext* context) {
  return c10::static_intrusive_pointer_cast<Context>(context->saved_data["context"].toCapsule());
}

enum class Kernel { value, gradient, second };

struct Results {
  at::Tensor f, x, a;
};

template <typename Real>
void run(Kernel kernel, const Context& context, const at::Tensor& x, const at::Tensor& a, const at::Tensor& gradient,
         const at::Tensor& direction, Results& results) {
  const PolynomialPlan& plan = *context.plan;
  const auto rows = static_cast<std::size_t>(4 * (plan.n_inputs() + 1) + 2 * (plan.n_outputs() + 1));
  std::vector<Real> scratch(rows * k_widest_block);
  const auto input = [](const at::Tensor& tensor) { return tensor.defined() ? tensor.const_data_ptr<Real>() : nullptr; };
  const auto output = [](at::Tensor& tensor) { return tensor.defined() ? tensor.mutable_data_ptr<Real>() : nullptr; };
  const kernels::PolynomialArguments<Real> arguments{
      static_cast<std::int64_t>(plan.terms().size()), plan.order(), plan.n_inputs(), plan.n_outputs(), a.size(1),
      context.shard->n_atoms, x.size(2), plan.terms().data(), context.shard->elements.data(), input(x), input(a),
      input(gradient), input(direction), scratch.data(), output(results.f), output(results.x), output(results.a)};
  const auto& table = kernels::table<Real>();
  if (kernel == Kernel::value) table.polynomial(arguments);
  if (kernel == Kernel::gradient) table.polynomial_gradient(arguments);
  if (kernel == Kernel::second) table.polynomial_second(arguments);
}

void dispatch(Kernel kernel, const Context& context, const at::Tensor& x, const at::Tensor& a,
              const at::Tensor& gradient, const at::Tensor& direction, Results& results) {
  if (x.scalar_type() == at::kDouble)
    run<double>(kernel, context, x, a, gradient, direction, results);
  else
    run<float>(kernel, context, x, a, gradient, direction, results);
}

at::Tensor output_like(const Context& context, const at::Tensor& x) {
  return at::zeros({context.plan->n_outputs(), x.size(1), x.size(2)}, x.options());
}

/// ∂/∂x of Σ gradient·f, differentiable once more.
class GradientByX : public torch::autograd::Function<GradientByX> {
 public:
  static at::Tensor forward(AutogradContext* context, const ContextPointer& data, const at::Tensor& x,
                            const at::Tensor& a, const at::Tensor& gradient) {
    context->save_for_backward({x, a, gradient});
    context->saved_data["context"] = c10::IValue::make_capsule(data);
    Results results{{}, at::zeros(x.sizes(), x.options()), {}};
    dispatch(Kernel::gradient, *data, x, a, gradient, {}, results);
    return results.x;
  }

  static variable_list backward(AutogradContext* context, const variable_list& direction) {
    if (at::GradMode::is_enabled())
      throw CapabilityError("third derivatives of the symmetric contraction are not supported");
    const auto data = context_of(context);
    const auto saved = context->get_saved_variables();
    Results results{output_like(*data, saved[0]), {}, {}};
    if (context->needs_input_grad(0)) results.x = at::zeros(saved[0].sizes(), saved[0].options());
    if (context->needs_input_grad(1)) results.a = at::zeros(saved[1].sizes(), saved[1].options());
    dispatch(Kernel::second, *data, saved[0], saved[1], saved[2], direction[0].contiguous(), results);
    return {at::Tensor(), results.x, results.a, results.f};
  }
};

class Polynomial : public torch::autograd::Function<Polynomial> {
 public:
  static at::Tensor forward(AutogradContext* context, const ContextPointer& data, const at::Tensor& x,
                            const at::Tensor& a) {
    context->save_for_backward({x, a});
    context->saved_data["context"] = c10::IValue::make_capsule(data);
    Results results{output_like(*data, x), {}, {}};
    dispatch(Kernel::value, *data, x, a, {}, {}, results);
    return results.f;
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto data = context_of(context);
    const auto saved = context->get_saved_variables();
    const at::Tensor gradient = gradients[0].contiguous();
    const bool by_x = context->needs_input_grad(0), by_a = context->needs_input_grad(1);
    if (at::GradMode::is_enabled()) {
      if (by_a) throw CapabilityError("the gradient by coefficients of the symmetric contraction is not differentiable");
      return {at::Tensor(), GradientByX::apply(data, saved[0], saved[1], gradient), at::Tensor()};
    }
    Results results;
    if (by_x) results.x = at::zeros(saved[0].sizes(), saved[0].options());
    if (by_a) results.a = at::zeros(saved[1].sizes(), saved[1].options());
    dispatch(Kernel::gradient, *data, saved[0], saved[1], gradient, {}, results);
    return {at::Tensor(), results.x, results.a};
  }
};

}  // namespace

at::Tensor symmetric_polynomial(ShardPointer shard, std::shared_ptr<const PolynomialPlan> plan, const at::Tensor& x,
                                const at::Tensor& coefficients) {
  return Polynomial::apply(c10::make_intrusive<Context>(std::move(shard), std::move(plan)), x.contiguous(),
                           coefficients.contiguous());
}

}  // namespace tamiz::torch_engine
