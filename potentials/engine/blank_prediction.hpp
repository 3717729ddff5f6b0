#pragma once

#include "tamiz/core/simulation/potential.hpp"

namespace tamiz {

/// Room for what is asked of a network, not yet filled but for stresses, which are zero.
Prediction blank_prediction(const Potential& potential, const Batch& batch, const Outputs& outputs);

}  // namespace tamiz
