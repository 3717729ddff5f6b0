#pragma once

#include <functional>
#include <memory>

#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/screening/oracle/oracle.hpp"

namespace tamiz {

/// Gives requests for relaxations of crystals the second derivatives that a model has for them, so that the optimiser need not find them out by steps
/// of DFT. What the model does not know, or has more than a hundred atoms, is left as it is, as is everything without a model.
std::function<void(LabelRequest&)> curvature_by(std::shared_ptr<const Potential> model);

}  // namespace tamiz
