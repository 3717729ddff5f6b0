#pragma once

#include <ATen/core/Tensor.h>

#include <span>
#include <string>
#include <vector>

#include "tamiz/potentials/torch/mace_model.hpp"

namespace tamiz::torch_engine {

/// Throws CapabilityError unless "float32" or "float64".
at::ScalarType dtype_of(const std::string& name);

/// One tensor per weight of the model from the flat array.
std::vector<at::Tensor> parameter_tensors(const MaceModel& model, std::span<const double> values, at::ScalarType dtype);

}  // namespace tamiz::torch_engine
