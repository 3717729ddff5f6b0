#pragma once

#include <string>
#include <vector>

#include "tamiz/screening/campaign/config.hpp"
#include "tamiz/screening/campaign/records.hpp"

namespace tamiz {

/// What the data folder holds today for a campaign. Throws FileError, FormatError.
CampaignStart read_start(const CampaignConfig& config);

/// Refuses what no campaign can begin with. Throws FormatError (no competing phase at the level, or none
/// of an element; first labels without any to train on or to test on), CapabilityError (an oracle of another code than the level's).
void check_start(const CampaignStart& start, const CampaignConfig& config);

/// What decides the results and differs, in words; empty where a campaign that began with `then` may go on with `now`.
std::vector<std::string> changes_between(const CampaignStart& then, const CampaignStart& now);

}  // namespace tamiz
