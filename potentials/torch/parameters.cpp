#include "tamiz/potentials/torch/parameters.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>

#include "tamiz/core/base/error.hpp"

namespace tamiz::torch_engine {

at::ScalarType dtype_of(const std::string& name) {
  if (name == "float32") return at::kFloat;
  if (name == "float64") return at::kDouble;
  throw CapabilityError("dtype '" + name + "' is not supported, expected float32 or float64");
}

std::vector<at::Tensor> parameter_tensors(const MaceModel& model, std::span<const double> values,
                                          at::ScalarType dtype) {
  std::vector<at::Tensor> tensors;
  std::size_t offset = 0;
  for (const ParameterSpec& spec : model.parameters()) {
    at::Tensor tensor = at::empty(spec.shape, at::kDouble);
    const auto part = values.subspan(offset, spec.size());
    std::copy(part.begin(), part.end(), tensor.mutable_data_ptr<double>());
    tensors.push_back(tensor.to(dtype));
    offset += spec.size();
  }
  return tensors;
}

}  // namespace tamiz::torch_engine
