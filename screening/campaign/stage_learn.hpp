#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "tamiz/screening/campaign/config.hpp"
#include "tamiz/screening/campaign/records.hpp"

namespace tamiz {

/// Frames of a campaign's labels, split for learning. A relaxation gives all the geometries it calculated.
struct LabelledFrames {
  std::vector<Frame> training;
  std::vector<Frame> held_out;
};

/// Sorted by candidate id. All labels of a candidate are held out or none, by a hash of its id, so that the choice
/// does not depend on the order of arrival; at least one candidate is held out. Failed and timed out relaxations count
/// with the geometries that they calculated.
LabelledFrames split_labels(const CampaignHistory& history, double held_out_share);

/// Trains `current` further on the first model's labels and those of the campaign, and keeps the result
/// only where it is better on the labels held out from training. Writes `models/round_<r>.safetensors`
/// when it is adopted. `shipped` and `shipped_test` are the starting model's training and test labels.
LearnRecord learn(const CampaignHistory& history, const ModelFile& current, std::span<const Frame> shipped,
                  std::span<const Frame> shipped_test, const LearnOptions& options, int round, std::uint64_t seed,
                  const std::filesystem::path& run_folder,
                  const std::function<void(std::int64_t, std::int64_t, double)>& progress);

}  // namespace tamiz
