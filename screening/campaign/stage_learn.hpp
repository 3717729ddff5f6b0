#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "tamiz/screening/campaign/config.hpp"
#include "tamiz/screening/campaign/records.hpp"

namespace tamiz {

/// Frames of a campaign's labels, split for learning. A relaxation gives all the geometries it calculated.
struct LabelledFrames {
  std::vector<Frame> training;
  std::vector<Frame> held_out;
  int n_held_out = 0;  ///< labels, of which each may have many frames
};

/// The candidates of a round in an order of chance that a hash of their ids gives; of these the first, and then an equal
/// share of every stretch, are held out with all their labels. What was held out once stays so, and what becomes the same crystal goes with it. Failed relaxations count
/// with the geometries that they calculated, timed out ones do not count.
LabelledFrames split_labels(const CampaignHistory& history, double held_out_share);

/// The first frames and a campaign's own, which are repeated until they are such a share of all: a few among thousands would hardly be seen.
std::vector<Frame> with_share(std::span<const Frame> first, std::span<const Frame> own, double share);

/// The first test frames without the compositions that a campaign trains on, which would test and calibrate too kindly; all of them where fewer than
/// five energies, or no forces, would be left.
std::vector<Frame> tests_of_others(std::span<const Frame> tests, std::span<const Frame> own);

/// Scores (eq. 20) on the first test labels: of the model that the campaign began with, of the one before and of the new one.
struct KnownScores {
  double first = 0.0, before = 0.0, after = 0.0;
};

/// Sets `adopted` and `reason` of a record by eq. 20 of docs/theory.md.
void judge(LearnRecord& record, int min_held_out, const KnownScores& known);

/// Where the training of a round is while it goes on.
std::filesystem::path checkpoint_of(const std::filesystem::path& run_folder, int round);

/// Trains `current` further on the first model's labels and those of the campaign, and adopts the result where it is
/// better on the labels held out from training and has not forgotten the first test labels, of compositions that it does not train on now; with fewer than
/// `options.min_held_out` held-out labels it must be better on these test labels, too. Writes
/// `models/round_<r>.safetensors` when it is adopted. `shipped` and `shipped_test` are the starting model's training and
/// test labels; what may be forgotten of them is measured from `first`, the starting model, so that rounds do not add up. Nothing when `stop`, asked before every step, ended the training: the checkpoint beside the models is then
/// where the next call goes on, to the same bits. It is left there, for the caller to remove once the record is safe.
std::optional<LearnRecord> learn(const CampaignHistory& history, const ModelFile& first, const ModelFile& current,
                                 std::span<const Frame> shipped, std::span<const Frame> shipped_test, const LearnOptions& options, int round,
                                 std::uint64_t seed, int threads, const std::filesystem::path& run_folder,
                                 const std::function<void(std::int64_t, std::int64_t, double)>& progress,
                                 const std::function<bool()>& stop);

}  // namespace tamiz
