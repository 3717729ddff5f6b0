#pragma once

#include <span>

#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/core/structure/frame.hpp"

namespace tamiz {

/// Factor by which the spread of a committee's energies has to be multiplied so that errors on `frames`,
/// which the committee was not trained on, lie within it in 68.3 % of the cases. 1 for fewer than five
/// frames with energies.
double calibrated_scale(const Potential& potential, std::span<const Frame> frames);

}  // namespace tamiz
