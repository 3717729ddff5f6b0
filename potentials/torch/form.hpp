#pragma once

#include <ATen/core/Tensor.h>
#include <torch/custom_class.h>

#include <array>

namespace tamiz::torch_engine {

/// A number that is linear in each of its factors, Q(t_0, …, t_{n−1}). Its derivative by one factor is a
/// function of the others, and the derivatives of that are again derivatives of Q: one set of kernels
/// serves the energy, the forces and the gradient of a force loss.
class Form : public torch::CustomClassHolder {
 public:
  using Factors = std::array<at::Tensor, 4>;

  virtual int n_factors() const = 0;
  /// ∂Q/∂t_slot from the other factors; factors[slot] is not read.
  virtual at::Tensor derivative(int slot, const Factors& factors) const = 0;
};

/// ∂Q/∂t_slot as a node of the autograd graph, differentiable any number of times.
at::Tensor apply(const c10::intrusive_ptr<Form>& form, int slot, const Form::Factors& factors);

}  // namespace tamiz::torch_engine
