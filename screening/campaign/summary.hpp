#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "tamiz/screening/campaign/competing.hpp"
#include "tamiz/screening/campaign/config.hpp"
#include "tamiz/screening/campaign/records.hpp"

namespace tamiz {

/// Everything that the report shows, as JSON (schema in screening/report/README.md).
nlohmann::json summarize(const CampaignConfig& config, const CampaignHistory& history, const CompetingSet& competing,
                         const std::filesystem::path& folder);

}  // namespace tamiz
