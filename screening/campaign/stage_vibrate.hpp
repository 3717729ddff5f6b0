#pragma once

#include <functional>
#include <span>

#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/screening/campaign/config.hpp"
#include "tamiz/screening/campaign/ranking.hpp"

namespace tamiz {

/// Phonons of the first ranked candidates by the model: their geometries, which may be those of DFT, are relaxed with it before, since only at
/// its own minimum a model's vibrations say anything. `progress(done)` is called after each batch of work and may throw to end it.
std::vector<VibrationRecord> vibrations_of(const Potential& potential, std::span<const RankedCandidate> ranked, const PhononOptions& options,
                                           int threads, const std::function<void(std::size_t done)>& progress);

}  // namespace tamiz
