#include "tamiz/potentials/torch/form.hpp"

#include <torch/csrc/autograd/custom_function.h>

#include <optional>

namespace tamiz::torch_engine {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Slots of a form with n factors, without one.
std::array<int, 3> other_slots(int n, int slot) {
  std::array<int, 3> others{-1, -1, -1};
  std::size_t k = 0;
  for (int s = 0; s < n; ++s)
    if (s != slot) others[k++] = s;
  return others;
}

class FormFunction : public torch::autograd::Function<FormFunction> {
 public:
  static at::Tensor forward(AutogradContext* context, const c10::intrusive_ptr<Form>& form, std::int64_t slot,
                            const at::Tensor& a, const at::Tensor& b, const std::optional<at::Tensor>& c) {
    variable_list saved{a, b};
    if (c) saved.push_back(*c);
    context->save_for_backward(saved);
    context->saved_data["form"] = c10::IValue::make_capsule(form);
    context->saved_data["slot"] = slot;
    context->set_materialize_grads(false);
    return form->derivative(static_cast<int>(slot), place(*form, slot, saved, {}));
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    variable_list result(5);
    if (!gradients[0].defined()) return result;
    const auto form = c10::static_intrusive_pointer_cast<Form>(context->saved_data["form"].toCapsule());
    const std::int64_t slot = context->saved_data["slot"].toInt();
    const auto factors = place(*form, slot, context->get_saved_variables(), gradients[0]);
    const auto others = other_slots(form->n_factors(), static_cast<int>(slot));
    for (std::size_t k = 0; k < others.size(); ++k)
      if (others[k] >= 0 && context->needs_input_grad(k)) result[2 + k] = torch_engine::apply(form, others[k], factors);
    return result;
  }

 private:
  static Form::Factors place(const Form& form, std::int64_t slot, const variable_list& saved, const at::Tensor& own) {
    Form::Factors factors;
    const auto others = other_slots(form.n_factors(), static_cast<int>(slot));
    for (std::size_t k = 0; k < saved.size(); ++k) factors[static_cast<std::size_t>(others[k])] = saved[k].contiguous();
    if (own.defined()) factors[static_cast<std::size_t>(slot)] = own.contiguous();
    return factors;
  }
};

}  // namespace

at::Tensor apply(const c10::intrusive_ptr<Form>& form, int slot, const Form::Factors& factors) {
  const auto others = other_slots(form->n_factors(), slot);
  const auto factor = [&](std::size_t k) { return factors[static_cast<std::size_t>(others[k])]; };
  std::optional<at::Tensor> last;
  if (others[2] >= 0) last = factor(2);
  return FormFunction::apply(form, static_cast<std::int64_t>(slot), factor(0), factor(1), last);
}

}  // namespace tamiz::torch_engine
