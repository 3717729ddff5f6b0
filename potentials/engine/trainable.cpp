#include "tamiz/potentials/engine/trainable.hpp"

#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/engine/model_parameters.hpp"

namespace tamiz {

std::vector<ParameterBlock> parameter_layout(const ModelDescription& description) {
  std::vector<ParameterBlock> blocks;
  std::size_t offset = 0;
  for (const ParameterSpec& spec : model_parameters(description)) {
    blocks.push_back({spec.name, offset, spec.size(), spec.decays, spec.by_element});
    offset += spec.size();
  }
  return blocks;
}

void require_parameters(std::size_t numbers, std::size_t parameters) {
  if (numbers != parameters)
    throw ShapeError("the model has " + std::to_string(parameters) + " parameters, got " + std::to_string(numbers) +
                     " numbers");
}

}  // namespace tamiz
