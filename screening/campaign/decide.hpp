#pragma once

#include <span>
#include <vector>

#include "tamiz/screening/campaign/config.hpp"
#include "tamiz/screening/campaign/records.hpp"

namespace tamiz {

/// Chooses what DFT looks at next, within the budget of one round.
///
/// `explore` labels are single points where the committee's hulls disagree most, among candidates that
/// are not hopeless (mean − 2σ below 0.3 eV/atom). The others are relaxations, by
/// the probability P(E_hull < window) = Φ((window − e)/σ) per estimated cost (relative_cost.hpp), at most
/// `max_per_composition` of one composition. Candidates of systems with an incomplete hull, those
/// already labelled and those that became a known phase are left out. Ties fall to the lower candidate id; nothing is random.
std::vector<LabelChoice> decide(const RoundPrediction& prediction, const CampaignHistory& history,
                                const CompetingSet& competing, const DecideOptions& options);

/// Φ((window − mean)/σ), with a floor of 5 meV/atom on σ: no committee is that sure.
double probability_below(double window, double mean, double sigma);

}  // namespace tamiz
