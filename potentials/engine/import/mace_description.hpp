#pragma once

#include "tamiz/potentials/engine/import/mace_heads.hpp"
#include "tamiz/potentials/engine/import/torch_checkpoint.hpp"
#include "tamiz/potentials/engine/model_description.hpp"

namespace tamiz::importer {

/// The shape and constants of a MACE model, all from the file. Throws FormatError for what is damaged or contradicts
/// itself, CapabilityError naming what this project's model does not have.
ModelDescription read_description(const TorchCheckpoint& file, const Record& model, const Heads& heads);

}  // namespace tamiz::importer
