#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>

#include "tamiz/potentials/engine/model_file.hpp"
#include "tamiz/screening/campaign/records.hpp"

/// The parts of the report's summary that speak of labels, training and the model.
namespace tamiz {

nlohmann::json rounds_json(const CampaignHistory& history);
/// Model before it saw the label against DFT, energy above the hull [eV/atom].
nlohmann::json parity_json(const CampaignHistory& history);
nlohmann::json cost_json(const CampaignHistory& history);
nlohmann::json corrections_json();
nlohmann::json model_json(const std::string& name, const ModelFile& model);
/// The model that the campaign adopted last, or the one it started from.
nlohmann::json last_model_json(const CampaignHistory& history, const std::filesystem::path& folder);
/// What this program does not know or test, in sentences.
nlohmann::json limits(const CampaignHistory& history);

}  // namespace tamiz
