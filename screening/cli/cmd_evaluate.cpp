#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/io/format.hpp"
#include "tamiz/core/io/splits.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/screening/cli/command.hpp"
#include "tamiz/screening/cli/labelled_frames.hpp"

namespace tamiz::cli {
namespace {

struct Arguments {
  std::string model, predictions, split;
  std::vector<std::string> files;
  LabelKeys keys;
  LoadOptions load;
};

bool has_labels(const Frame& frame) {
  return frame.labels.consistent_energy() || frame.labels.forces || frame.labels.stress;
}

/// With the model's energy, forces and, in a crystal, stress in place of its labels.
Frame with_prediction(Frame frame, const PredictedFrame& prediction) {
  frame.labels = {.energy = prediction.energy, .free_energy = std::nullopt, .forces = prediction.forces, .stress = prediction.stress};
  return frame;
}

int run(Arguments& arguments, const Common& common, nlohmann::json& result) {
  arguments.load.threads = threads_of(common);
  if (!arguments.predictions.empty()) check_output(arguments.predictions);
  std::vector<Frame> frames = read_labelled(arguments.files, arguments.keys);
  if (!arguments.split.empty()) frames = of_split(frames, arguments.split);
  if (frames.empty()) throw FormatError("no frame is of the split " + arguments.split);
  const bool labelled = std::any_of(frames.begin(), frames.end(), has_labels);
  if (!labelled && arguments.predictions.empty())
    throw FormatError(fmt::format("none of the {} frames has an energy, forces or a stress to compare with: check the keys of the "
                                  "file (energy, REF_energy, free_energy, forces, REF_forces), or ask for --predictions alone",
                                  frames.size()));
  const std::unique_ptr<Potential> potential = load_potential(arguments.model, arguments.load);
  for (const Frame& frame : frames) require_species(*potential, frame.structure.species());
  ErrorsByType sums;
  std::vector<Frame> predicted;
  predict_frames(*potential, frames,
                 {.forces = true, .stress = potential->capabilities().stress, .members = potential->capabilities().n_members > 1},
                 [&](std::size_t k, const PredictedFrame& prediction) {
                   sums.add(frames[k], prediction);
                   if (!arguments.predictions.empty()) predicted.push_back(with_prediction(frames[k], prediction));
                 });
  if (labelled) {
    result = sums.errors();
    result["calibration"] = sums.calibration();
  } else {
    result["n_frames"] = frames.size();
  }
  result["model"] = potential->name();
  if (!arguments.predictions.empty()) write_frames(arguments.predictions, predicted);
  if (labelled && !common.quiet) print_errors(common.tables(), "all", result);
  return k_done;
}

}  // namespace

void add_evaluate(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = add_command(
      app, "evaluate", "Errors of a model against labels, for each config_type", "tamiz evaluate model.safetensors test.xyz --json errors.json",
      [arguments](const Common& common, nlohmann::json& result) { return run(*arguments, common, result); });
  add_model_argument(*command, arguments->model);
  command->add_option("files", arguments->files, "Labelled structures; of structures without labels only --predictions")->required()->check(CLI::ExistingFile);
  command->add_option("--predictions", arguments->predictions, "File for the predicted values, as extended XYZ");
  command->add_option("--split", arguments->split, "Only the frames of this split of a data set: train, validation or test");
  add_label_keys(*command, arguments->keys);
  add_load_options(*command, arguments->load);
}

}  // namespace tamiz::cli
