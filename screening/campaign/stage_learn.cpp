#include "tamiz/screening/campaign/stage_learn.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>
#include <utility>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/hash.hpp"
#include "tamiz/core/base/philox.hpp"
#include "tamiz/core/structure/identity.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/potentials/engine/trainer.hpp"
#include "tamiz/potentials/engine/training/label_weights.hpp"
#include "tamiz/screening/campaign/stage_label.hpp"

namespace tamiz {
namespace {

constexpr double k_allowed_loss = 1.25;  // a new model may forget this much of what the first one knew
constexpr std::size_t k_fewest_tests = 5;  // first test frames with energies, with fewer of which no uncertainty is calibrated

/// Geometries further than this from equilibrium would pull the fit away from what is ranked.
bool usable(const Frame& frame) {
  return frame.labels.forces && frame.labels.forces->cwiseAbs().maxCoeff() < 15.0;
}

/// The end of a relaxation, whose energy is what a ranking takes, stands apart from its other geometries.
std::vector<Frame> frames_of(const LabelResult& result) {
  std::vector<Frame> frames;
  for (const Frame& frame : result.trajectory)
    if (usable(frame)) frames.push_back(frame);
  if (result.frame && usable(*result.frame)) frames.push_back(*result.frame);
  return frames;
}

/// In [0, 1), by the candidate alone: the order in which the labels of a round are dealt.
double lot_of(const std::string& candidate) { return Philox(hash64(candidate), streams::k_split, 0, 0).uniform(); }

/// A model as a potential, through a file at `scratch`: the way that a campaign loads it afterwards.
std::unique_ptr<Potential> potential_of(const ModelFile& model, const std::filesystem::path& scratch, int threads) {
  model.write(scratch);
  auto potential = load_potential(scratch, {.threads = threads});
  std::filesystem::remove(scratch);
  return potential;
}

// As the shipped model is trained. Beside the weights of earlier models, labels teach a little more (datasets/models/README.md).
constexpr LossWeights k_weights{.energy = 50.0, .forces = 400.0, .stress = 20000.0, .energy_delta = 0.3, .force_delta = 0.3, .stress_delta = 0.02};
constexpr LossWeights k_last_stage{.energy = 5000.0, .forces = 400.0, .stress = 20000.0, .energy_delta = 0.01, .force_delta = 0.3, .stress_delta = 0.02};
constexpr double k_gradient_clip = 10.0;

TrainConfig training_config(const ModelFile& current, const LearnOptions& options, std::uint64_t seed, int threads) {
  TrainConfig config;
  config.model = current.description;
  config.steps = options.steps;
  config.learning_rate = options.learning_rate;
  config.batch_size = options.batch_size;
  config.weights = k_weights;
  config.last_stage = k_last_stage;
  config.gradient_clip = k_gradient_clip;
  config.first_cycle = 0;
  config.seed = seed;
  config.threads = threads;
  return config;
}

}  // namespace

LabelledFrames split_labels(const CampaignHistory& history, double held_out_share) {
  std::vector<const LabelRecord*> labels;
  for (const LabelRecord& label : history.labels)
    // What a relaxation calculated before it failed was paid for, and teaches as well. How far it came before a
    // time-out or the death of its worker depends on the machine, and a model must not.
    if (label.task != LabelTask::gap && label.result.status != LabelStatus::timed_out && !is_cut_off(label.result)) labels.push_back(&label);
  const auto order = [](const LabelRecord* label) {
    return std::tuple(label->round, lot_of(label->candidate), label->candidate, label->task);
  };
  std::sort(labels.begin(), labels.end(), [&](const auto* a, const auto* b) { return order(a) < order(b); });
  LabelledFrames split;
  std::map<std::string, bool> side;  // of a candidate: a later label of it stays where the first one went
  StructureIndex crystals;           // and so does one that became the same crystal
  double due = 1.0;                  // the first label is held out, so that there is something to judge on
  for (const LabelRecord* label : labels) {
    std::vector<Frame> frames = frames_of(label->result);
    if (frames.empty()) continue;
    const std::string twin = crystals.find(frames.back().structure);
    const auto [place, is_new] = side.try_emplace(label->candidate, twin.empty() ? due >= 1.0 : side.at(twin));
    if (is_new && twin.empty()) due += held_out_share - (place->second ? 1.0 : 0.0);
    if (twin.empty()) crystals.add(label->candidate, frames.back().structure);
    const bool is_held_out = place->second;
    std::move(frames.begin(), frames.end(), std::back_inserter(is_held_out ? split.held_out : split.training));
    split.n_held_out += is_held_out;
  }
  return split;
}

std::vector<Frame> with_share(std::span<const Frame> first, std::span<const Frame> own, double share) {
  std::vector<Frame> frames(first.begin(), first.end());
  const double wanted = share / (1.0 - share) * static_cast<double>(first.size());
  do frames.insert(frames.end(), own.begin(), own.end());
  while (static_cast<double>(frames.size() - first.size()) < wanted);
  return frames;
}

std::vector<Frame> tests_of_others(std::span<const Frame> tests, std::span<const Frame> own) {
  std::set<std::string> trained;
  for (const Frame& frame : own) trained.insert(frame.structure.composition().reduced().formula());
  std::vector<Frame> others;
  std::ranges::copy_if(tests, std::back_inserter(others), [&](const Frame& frame) {
    return !trained.contains(frame.structure.composition().reduced().formula());
  });
  const auto n_energies = static_cast<std::size_t>(
      std::ranges::count_if(others, [](const Frame& frame) { return frame.labels.consistent_energy().has_value() && label_weights(frame, "first test frame").energy > 0.0; }));
  const bool has_forces = std::ranges::any_of(others, [](const Frame& frame) { return frame.labels.forces.has_value(); });
  return n_energies >= k_fewest_tests && has_forces ? others : std::vector<Frame>(tests.begin(), tests.end());
}

void judge(LearnRecord& record, int min_held_out, const KnownScores& known) {
  const bool better = record.after.score < record.before.score;
  const bool enough = record.n_held_out >= min_held_out;
  // First test labels without energies and forces say nothing for or against it.
  const bool remembers = !(known.after > k_allowed_loss * known.first);
  record.adopted = better && remembers && (enough || known.after < known.before);
  const std::string labels = record.n_held_out == 1 ? "the one label" : fmt::format("the {} labels", record.n_held_out);
  const std::string on = "on " + labels + " held out from training";
  if (record.adopted) record.reason = "better " + on + (enough ? "" : ", and on the first test labels");
  else if (!better) record.reason = "not better " + on + ": the old model stays";
  else if (!remembers) record.reason = "it forgot too much of the first labels: the old model stays";
  else
    record.reason = fmt::format("better {}, fewer than {}, and not on the first test labels: the old model stays", on,
                                min_held_out);
}

std::filesystem::path checkpoint_of(const std::filesystem::path& run_folder, int round) {
  return run_folder / "models" / fmt::format("round_{}.checkpoint", round);
}

std::optional<LearnRecord> learn(const CampaignHistory& history, const ModelFile& first, const ModelFile& current,
                                 std::span<const Frame> shipped, std::span<const Frame> shipped_test, const LearnOptions& options, int round,
                                 std::uint64_t seed, int threads, const std::filesystem::path& run_folder,
                                 const std::function<void(std::int64_t, std::int64_t, double)>& progress,
                                 const std::function<bool()>& stop) {
  LabelledFrames split = split_labels(history, options.held_out);
  LearnRecord record{.round = round, .steps = 0, .n_frames = split.training.size(), .n_held_out = split.n_held_out,
                     .before = {}, .after = {}, .adopted = false, .reason = "", .model_hash = "", .model_file = ""};
  if (split.training.empty() || split.held_out.empty()) {
    record.reason = split.training.empty() ? "no label to train on" : "no label held out to judge on";
    return record;
  }
  const std::vector<Frame> tests = tests_of_others(shipped_test, split.training);
  TrainCallbacks callbacks;
  callbacks.progress = progress;
  callbacks.checkpoint = checkpoint_of(run_folder, round);
  callbacks.should_stop = stop;
  const TrainConfig config = training_config(current, options, seed + static_cast<std::uint64_t>(round), threads);
  TrainResult result;
  try {
    result = train(config, with_share(shipped, split.training, options.share), current, callbacks, tests);
  } catch (const NumericsError& error) {  // the same again after a resume
    record.reason = fmt::format("the training failed, {}: the old model stays", error.what());
    return record;
  }
  if (!result.finished) return std::nullopt;
  result.model.card.entries["training_frames"] = std::to_string(shipped.size() + split.training.size());
  record.steps = options.steps;

  const auto scratch = run_folder / "models" / "judged.safetensors";
  const auto old_potential = potential_of(current, scratch, threads), new_potential = potential_of(result.model, scratch, threads);
  record.before = evaluate_errors(*old_potential, split.held_out);
  record.after = evaluate_errors(*new_potential, split.held_out);
  const auto known_by = [&](const Potential& potential) { return evaluate_errors(potential, tests).score; };
  judge(record, options.min_held_out, {.first = known_by(*potential_of(first, scratch, threads)), .before = known_by(*old_potential), .after = known_by(*new_potential)});
  if (record.adopted && current.description.uncertainty_scale > 0.0 && !(result.model.description.uncertainty_scale > 0.0)) {
    record.adopted = false;
    record.reason = "too few first test labels to calibrate its uncertainty on: the old model stays";
  }
  if (record.adopted) {
    record.model_file = fmt::format("models/round_{}.safetensors", round);
    result.model.write(run_folder / record.model_file);
    record.model_hash = hash_hex(read_file(run_folder / record.model_file));
  }
  return record;
}

}  // namespace tamiz
