#pragma once

#include <functional>

#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/screening/campaign/config.hpp"
#include "tamiz/screening/campaign/records.hpp"

namespace tamiz {

/// Phonons of a crystal by a model. Its geometry, which may be that of DFT, is relaxed with the model before, since only at its own minimum a model's
/// vibrations say anything. What does not come out is a record with its reason. `progress` is called after each batch of work and
/// may throw to end it, what is no std::exception.
VibrationRecord vibrations_of(const Potential& potential, const std::string& candidate, const Structure& crystal, const PhononOptions& options,
                              int threads, const std::function<void()>& progress);

}  // namespace tamiz
