#pragma once

#include <vector>

#include "tamiz/core/structure/frame.hpp"
#include "tamiz/screening/campaign/records.hpp"

namespace tamiz {

/// Whether forces and stress of a labelled geometry are within the thresholds of "DFT-confirmed", whatever those of its level: 0.03 eV/Å and
/// 0.5 GPa.
bool is_at_rest(const Labels& labels);

/// Candidates that DFT relaxed to rest, as phases with their own ids, in the order in which their labels came: later ones only add to it.
std::vector<CompetingPhase> confirmed_phases(const CampaignHistory& history);

/// The phases on the hulls that the predictions of a round were made with: known ones, then what DFT had confirmed by then.
std::vector<CompetingPhase> phases_behind(const RoundPrediction& prediction, const CampaignHistory& history);

}  // namespace tamiz
