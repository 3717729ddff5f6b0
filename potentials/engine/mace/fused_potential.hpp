#pragma once

#include <memory>

#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/potentials/engine/model_file.hpp"

namespace tamiz {

/// A MACE model as a potential on the CPU, without LibTorch, in the dtype of the options. The bits of a structure's
/// results are a function of the structure alone: neither of the rest of the batch nor of the number of threads, and
/// the same on AVX2 and AVX-512. Throws FormatError for tensors that do not fit the description.
std::unique_ptr<Potential> make_fused_potential(const ModelFile& model, const LoadOptions& options);

}  // namespace tamiz
