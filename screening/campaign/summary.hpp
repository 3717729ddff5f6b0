#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "tamiz/screening/campaign/records.hpp"

namespace tamiz {

/// Everything that the report shows of a campaign that was begun, as JSON (schema in screening/report/README.md). Of
/// files it reads only the model that the campaign adopted last, in its `folder`.
nlohmann::json summarize(const CampaignHistory& history, const std::filesystem::path& folder);

}  // namespace tamiz
