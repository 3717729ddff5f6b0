#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <torch/csrc/autograd/custom_function.h>

#include <utility>

#include "tamiz/potentials/torch/model_forms.hpp"
#include "tamiz/potentials/torch/tensor_forms.hpp"

namespace tamiz::torch_engine {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

struct Context : torch::CustomClassHolder {
  explicit Context(ShardPointer s) : shard(std::move(s)) {}
  ShardPointer shard;
};
using ContextPointer = c10::intrusive_ptr<Context>;

template <typename Real>
kernels::GeometryArguments<Real> arguments_of(const Shard& shard) {
  return {shard.n_atoms,
          shard.n_radial,
          shard.n_harmonics,
          shard.first.data(),
          shard.neighbors.data(),
          shard.frames.data(),
          shard.vectors.const_data_ptr<Real>(),
          shard.slopes.const_data_ptr<Real>(),
          shard.gradients.const_data_ptr<Real>()};
}

template <typename Real>
void forward_map(const Shard& shard, const at::Tensor& by_radial, const at::Tensor& by_harmonics, at::Tensor& result) {
  Real* out = result.mutable_data_ptr<Real>();
  kernels::table<Real>().geometry_forces(arguments_of<Real>(shard), by_radial.const_data_ptr<Real>(),
                                         by_harmonics.const_data_ptr<Real>(), out, out + 3 * shard.n_atoms);
}

template <typename Real>
void transposed_map(const Shard& shard, const at::Tensor& cotangent, at::Tensor& by_radial, at::Tensor& by_harmonics) {
  const Real* in = cotangent.const_data_ptr<Real>();
  kernels::table<Real>().geometry_transposed(arguments_of<Real>(shard), in, in + 3 * shard.n_atoms,
                                             by_radial.mutable_data_ptr<Real>(), by_harmonics.mutable_data_ptr<Real>());
}

class ForcesAndVirials : public torch::autograd::Function<ForcesAndVirials> {
 public:
  static at::Tensor forward(AutogradContext* context, const ContextPointer& data, const at::Tensor& by_radial,
                            const at::Tensor& by_harmonics) {
    context->saved_data["context"] = c10::IValue::make_capsule(data);
    const Shard& shard = *data->shard;
    at::Tensor result = at::zeros({shard.n_atoms + 3 * shard.n_frames, 3}, by_radial.options());
    if (by_radial.scalar_type() == at::kDouble)
      forward_map<double>(shard, by_radial.contiguous(), by_harmonics.contiguous(), result);
    else
      forward_map<float>(shard, by_radial.contiguous(), by_harmonics.contiguous(), result);
    return result;
  }

  static variable_list backward(AutogradContext* context, const variable_list& cotangents) {
    const auto data = c10::static_intrusive_pointer_cast<Context>(context->saved_data["context"].toCapsule());
    const Shard& shard = *data->shard;
    const at::Tensor cotangent = cotangents[0].contiguous();
    at::Tensor by_radial = at::empty({shard.n_edges, shard.n_radial}, cotangent.options());
    at::Tensor by_harmonics = at::empty({shard.n_edges, shard.n_harmonics}, cotangent.options());
    if (cotangent.scalar_type() == at::kDouble)
      transposed_map<double>(shard, cotangent, by_radial, by_harmonics);
    else
      transposed_map<float>(shard, cotangent, by_radial, by_harmonics);
    return {at::Tensor(), by_radial, by_harmonics};
  }
};

}  // namespace

at::Tensor forces_and_virials(ShardPointer shard, const at::Tensor& by_radial, const at::Tensor& by_harmonics) {
  if (!shard->placement.kernels) return tensors::forces_and_virials(*shard, by_radial, by_harmonics);
  return ForcesAndVirials::apply(c10::make_intrusive<Context>(std::move(shard)), by_radial, by_harmonics);
}

}  // namespace tamiz::torch_engine
