#pragma once

#include <functional>
#include <span>
#include <string>

#include "tamiz/core/simulation/relax.hpp"
#include "tamiz/screening/campaign/records.hpp"

namespace tamiz {

/// Relaxes every candidate and every phase with one model, merges what became the same, and
/// assesses the rest against one hull of the phases per committee member. `start` holds a geometry per candidate (the
/// last one, or the proposal). Failures are outcomes with a reason, never exceptions.
RoundPrediction relax_and_assess(const Potential& potential, std::span<const Candidate> candidates,
                                 std::span<const Structure> start, std::span<const CompetingPhase> phases,
                                 const RelaxOptions& options, int round, const std::string& model_hash,
                                 const std::function<void(std::size_t)>& progress);

/// Energies per atom of structures: mean and members.
std::vector<ModelEnergy> model_energies(const Potential& potential, std::span<const Structure> structures);

}  // namespace tamiz
