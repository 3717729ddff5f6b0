#pragma once

#include "tamiz/core/simulation/potential.hpp"

namespace tamiz {

/// Room for what is asked of a network, not yet filled. Throws SpeciesError for an element that `potential` does not know,
/// NumericsError for positions that are not finite, CapabilityError for the stress of a structure without a cell.
Prediction blank_prediction(const Potential& potential, const Batch& batch, const State& state, const Outputs& outputs);

}  // namespace tamiz
