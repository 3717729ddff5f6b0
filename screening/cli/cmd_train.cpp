#include <fmt/format.h>

#include <filesystem>
#include <iterator>
#include <memory>
#include <optional>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/hash.hpp"
#include "tamiz/core/base/log.hpp"
#include "tamiz/core/base/progress.hpp"
#include "tamiz/core/io/splits.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/potentials/engine/trainer.hpp"
#include "tamiz/potentials/engine/training/errors_json.hpp"
#include "tamiz/potentials/engine/training/train_config.hpp"
#include "tamiz/potentials/engine/training/training_set.hpp"
#include "tamiz/screening/cli/command.hpp"
#include "tamiz/screening/cli/labelled_frames.hpp"

namespace tamiz::cli {
namespace {

namespace fs = std::filesystem;

struct Arguments {
  std::vector<std::string> files, validation, tests, card;
  LabelKeys keys;
  std::string out, config, initial, dtype, engine;
  double minutes = 0.0;
  std::int64_t steps = 0;
  std::uint64_t seed = 1;
  bool resume = false;
};


TrainConfig configuration(const Arguments& a, const Common& common) {
  TrainConfig config = a.config.empty() ? TrainConfig{} : read_train_config(a.config);
  config.seed = a.seed;
  config.threads = threads_of(common);
  if (a.steps > 0) config.steps = a.steps;
  if (!a.dtype.empty()) config.dtype = a.dtype;
  config.engine = a.engine;
  return config;
}

/// What is wrong with a label is said with the name of its file.
std::vector<Frame> read_checked(const std::vector<std::string>& files, const LabelKeys& keys) {
  std::vector<Frame> frames;
  for (const std::string& file : files) {
    std::vector<Frame> some = read_labelled({file}, keys);
    check_frames(some, file);
    std::move(some.begin(), some.end(), std::back_inserter(frames));
  }
  return frames;
}

struct Frames {
  std::vector<Frame> training, validation, test;
};

/// A data set that is split says itself what of it trains, validates and tests, wherever it is named; frames of no split beside it are trained on.
Frames read_all(const Arguments& a) {
  Frames frames{read_checked(a.files, a.keys), read_checked(a.validation, a.keys), {}};
  if (!a.tests.empty()) frames.test = read_labelled(a.tests, a.keys);
  if (names_splits(frames.test)) frames.test = of_split(frames.test, "test");
  if (names_splits(frames.validation)) {
    frames.validation = of_split_or_none(frames.validation, "validation");
    if (frames.validation.empty()) throw FormatError("none of the frames to validate on is of the split validation");
  }
  if (!names_splits(frames.training)) return frames;
  const std::vector<Frame> all = std::move(frames.training);
  frames.training = of_split_or_none(all, "train");
  if (frames.validation.empty()) frames.validation = of_split(all, "validation");
  if (a.tests.empty()) frames.test = of_split(all, "test");
  if (frames.training.empty()) throw FormatError("none of the frames is of the split train");
  log::info(fmt::format("{} of {} frames are trained on, {} validate, {} test", frames.training.size(), all.size(),
                        frames.validation.size(), frames.test.size()));
  return frames;
}

fs::path checkpoint_of(const Arguments& a) { return a.out + ".checkpoint"; }

void check_checkpoint(const Arguments& a) {
  if (fs::exists(checkpoint_of(a)) && !a.resume)
    throw FileError(checkpoint_of(a).string() + " is left from a training that was stopped: go on with --resume, or remove it");
  if (!fs::exists(checkpoint_of(a)) && a.resume)
    log::warning("no checkpoint " + checkpoint_of(a).string() + ": starting from the beginning");
}

/// What the card will say of this training. Its files are hashed before it begins: they may be others when it ends.
std::map<std::string, std::string> card_of(const Arguments& a) {
  std::string hashes;
  for (const std::string& file : a.files) hashes += hash_hex(read_file(file)).substr(0, 16) + " ";
  std::map<std::string, std::string> entries = card_entries(a.card);
  entries.insert({{"created_by", "tamiz train"}, {"training_files_xxh3", hashes.substr(0, hashes.size() - 1)}});
  return entries;
}

void report(const TrainResult& trained, const Arguments& a, const std::string& dtype, const Frames& frames, const Common& common,
            nlohmann::json& result) {
  const auto potential = load_potential(a.out, {.dtype = dtype, .device = "cpu", .threads = threads_of(common)});
  const auto add = [&](const std::string& name, std::span<const Frame> some) {
    if (some.empty()) return;
    result[name] = errors_by_type(*potential, some);
    if (!common.quiet) print_errors(common.tables(), name, result[name]);
  };
  add("training", frames.training);
  add("validation", frames.validation);
  if (frames.validation.empty() && trained.validation.n_frames > 0) {
    // A part of those above that the training held out by itself.
    result["held_out"] = nlohmann::json::parse(json_text(trained.validation));
    result["held_out"]["config_type"] = nlohmann::json::object();
    if (!common.quiet) print_errors(common.tables(), "held out of these", result["held_out"]);
  }
  add("test", frames.test);
  result["model"] = a.out;
  result["steps"] = trained.steps;
  result["uncertainty_scale"] = trained.model.description.uncertainty_scale;
}

int run(Arguments& a, const Common& common, nlohmann::json& result) {
  install_stop_signals();
  check_output(a.out, false);
  const Frames frames = read_all(a);
  const auto card = card_of(a);
  check_checkpoint(a);
  std::optional<ModelFile> initial;
  if (!a.initial.empty()) initial = ModelFile::read(a.initial);
  TrainConfig config = configuration(a, common);
  if (a.minutes > 0.0) {
    const auto planned = planned_steps(checkpoint_of(a));
    config.steps = planned ? *planned : steps_within(config, frames.training, initial, frames.validation, a.minutes, stop_requested);
    if (stop_requested()) return k_stopped;
  }

  TrainCallbacks callbacks;
  callbacks.metrics = a.out + ".metrics.jsonl";
  callbacks.checkpoint = checkpoint_of(a);
  callbacks.should_stop = [] { return stop_requested(); };
  if (!a.resume) fs::remove(callbacks.metrics);
  TrainResult trained;
  {
    Progress progress("train", static_cast<std::size_t>(config.steps));
    callbacks.progress = [&](std::int64_t step, std::int64_t, double loss) {
      progress.update(static_cast<std::size_t>(step), fmt::format("loss {:.4g}", loss));
    };
    trained = train(config, frames.training, initial, callbacks, frames.validation);
  }
  if (!trained.finished) {
    log::warning(fmt::format("stopped at step {} of {}; go on with --resume", trained.steps, config.steps));
    return k_stopped;
  }
  for (const auto& [key, value] : card) trained.model.card.entries.insert_or_assign(key, value);
  trained.model.write(a.out);
  fs::remove(checkpoint_of(a));
  if (trained.stopped_early) log::info(fmt::format("the last cycle was not better on the validation frames: ended at step {} of {}, with the best model", trained.steps, config.steps));
  report(trained, a, config.dtype, frames, common, result);
  return k_done;
}

}  // namespace

void add_train(CLI::App& app) {
  const auto a = std::make_shared<Arguments>();
  CLI::App* command = add_command(
      app, "train", "Fit a MACE model to labelled structures", "tamiz train train.xyz --test test.xyz --out model.safetensors --minutes 20",
      [a](const Common& common, nlohmann::json& result) { return run(*a, common, result); });
  command->add_option("files", a->files, "Labelled structures (energies, forces, stresses); of a data set the frames of its split train")->required()->check(CLI::ExistingFile);
  command->add_option("-o,--out", a->out, "Model file to write (.safetensors)")->required();
  command->add_option("--config", a->config, "train.toml: shape of the model, steps, loss")->check(CLI::ExistingFile);
  command->add_option("--validation", a->validation, "Labelled structures to validate on; otherwise the split validation of a data set, or a tenth of the frames")->check(CLI::ExistingFile);
  command->add_option("--test", a->tests, "Labelled structures to report errors on at the end; otherwise, and of a data set, the frames of its split test")->check(CLI::ExistingFile);
  command->add_option("--initial", a->initial, "Model to train further")->check(CLI::ExistingFile);
  CLI::Option* steps = command->add_option("--steps", a->steps, "Optimiser steps")->check(positive());
  command->add_option("--minutes", a->minutes, "Choose the steps so that training takes about this long")->check(positive())->excludes(steps);
  command->add_option("--seed", a->seed, "Seed of weights, order of frames and committee")->capture_default_str();
  command->add_option("--dtype", a->dtype, "float32 or float64")->check(CLI::IsMember({"float32", "float64"}));
  command->add_option("--engine", a->engine, "fused or torch (default: fused)")->check(CLI::IsMember({"fused", "torch"}));
  add_label_keys(*command, a->keys);
  add_card(*command, a->card);
  command->add_flag("--resume", a->resume, "Go on from the checkpoint beside the output");
}

}  // namespace tamiz::cli
