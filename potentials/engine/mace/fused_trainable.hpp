#pragma once

#include <memory>
#include <string>

#include "tamiz/potentials/engine/trainable.hpp"

namespace tamiz {

/// A MACE model on the CPU whose loss gradient comes from tangents through the written-out reverse (docs/theory.md,
/// section 2.1), without LibTorch. The gradient has the same bits for any number of threads and order of the batch, and
/// on AVX2 and AVX-512. `dtype` "float32" or "float64"; `threads` 0: available_threads(). Not for use by several
/// threads at once. Throws CapabilityError for another dtype, FormatError for tensors that do not fit the description.
std::unique_ptr<Trainable> make_fused_trainable(const ModelFile& model, const std::string& dtype, int threads);

}  // namespace tamiz
