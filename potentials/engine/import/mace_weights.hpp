#pragma once

#include <vector>

#include "tamiz/potentials/engine/import/mace_heads.hpp"
#include "tamiz/potentials/engine/import/torch_checkpoint.hpp"
#include "tamiz/potentials/engine/model_description.hpp"

namespace tamiz::importer {

/// The weights of a MACE model in the order of `model_parameters(description)`, with which this project's model
/// calculates the same. Throws FormatError where a module does not fit the description, CapabilityError for classes of
/// modules that are not supported.
std::vector<double> read_weights(const TorchCheckpoint& file, const Record& model, const ModelDescription& description,
                                 const Heads& heads);

}  // namespace tamiz::importer
