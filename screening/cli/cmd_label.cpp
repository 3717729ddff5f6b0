#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <memory>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/log.hpp"
#include "tamiz/core/base/temporary_folder.hpp"
#include "tamiz/core/io/format.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/screening/campaign/label_run.hpp"
#include "tamiz/screening/campaign/start_curvature.hpp"
#include "tamiz/screening/cli/command.hpp"
#include "tamiz/screening/oracle/label_json.hpp"
#include "tamiz/screening/oracle/make_oracle.hpp"

namespace tamiz::cli {
namespace {

struct Arguments {
  std::vector<std::string> files;
  std::string oracle = "gpaw";
  std::string level, settings, ledger, output, model;
  std::string task = "single_point";
  double timeout = 0.0;
  int workers = 0;
  bool retry_failed = false, trajectory = false;
};

/// Name and content of the settings. Only GPAW has a level by default: others may need none.
std::pair<std::string, std::string> level_of(const Arguments& arguments) {
  if (!arguments.settings.empty()) return {level_name(arguments.settings), read_level(arguments.settings)};
  const std::string level = arguments.level.empty() && arguments.oracle == "gpaw" ? "pbe-600g" : arguments.level;
  return {level_name(level), level.empty() ? "{}" : read_level(level)};
}

/// The name that a frame brings along, else its place in its file.
std::string id_of(const Frame& frame, const std::filesystem::path& file, std::size_t index) {
  for (const char* key : {"id", "candidate"})
    if (const auto found = frame.info.find(key); found != frame.info.end()) return found->second;
  return fmt::format("{}/{:04}", file.stem().string(), index);
}

struct Work {
  std::vector<Frame> frames;
  std::vector<LabelRequest> requests;
};

Work read_work(const Arguments& arguments) {
  Work work;
  const auto [level, settings] = level_of(arguments);
  std::map<std::string, int> uses;
  for (const std::string& file : arguments.files) {
    std::size_t index = 0;
    for (Frame& frame : read_frames(file)) {
      std::string id = id_of(frame, file, index++);
      if (const int n = uses[id]++; n > 0) id += fmt::format("#{}", n);
      work.requests.push_back(request_for(frame, id, label_task_from(arguments.task), level, settings, arguments.timeout));
      work.frames.push_back(std::move(frame));
    }
  }
  return work;
}

/// The labelled geometry with what the input said of its atoms, but for what the worker says: the input may be the output of another label.
Frame labelled_frame(const Frame& input, const Frame& labelled, const LabelRequest& request, const nlohmann::json& properties) {
  Frame frame = labelled;
  for (const auto& [key, value] : input.info)
    if (!is_of_one_label(key)) frame.info.emplace(key, value);
  for (const auto& [key, value] : properties.items()) frame.info.erase(info_name(key));
  frame.arrays.insert(input.arrays.begin(), input.arrays.end());
  frame.info["id"] = request.id;
  frame.info["task"] = to_string(request.task);
  if (!request.level.empty()) frame.info["level"] = request.level;
  return frame;
}

/// What the worker said beyond the labels, as far as it is one value.
void add_properties(Frame& frame, const nlohmann::json& properties) {
  for (const auto& [key, value] : properties.items())
    if (!value.is_structured()) frame.info.try_emplace(info_name(key), value.is_string() ? value.get<std::string>() : value.dump());
}

std::vector<Frame> output_frames(const Work& work, const LabelRun& run, bool trajectory) {
  std::vector<Frame> frames;
  for (std::size_t k = 0; k < run.results.size(); ++k) {
    const LabelResult& result = *run.results[k];
    const nlohmann::json properties = nlohmann::json::parse(result.properties);
    if (trajectory)
      for (const Frame& step : result.trajectory)
        frames.push_back(labelled_frame(work.frames[k], step, work.requests[k], properties));
    if (!result.frame) continue;
    frames.push_back(labelled_frame(work.frames[k], *result.frame, work.requests[k], properties));
    add_properties(frames.back(), properties);
  }
  return frames;
}

void summarize(const LabelRun& run, nlohmann::json& result) {
  std::map<LabelStatus, int> counts;
  int n_cached = 0;
  result["failures"] = nlohmann::json::array();
  for (const auto& label : run.results) {
    if (!label) continue;
    ++counts[label->status];
    n_cached += label->cached;
    if (label->status != LabelStatus::finished)
      result["failures"].push_back({{"id", label->id}, {"status", to_string(label->status)}, {"reason", label->reason}});
  }
  result["n_frames"] = run.results.size();
  result["n_finished"] = counts[LabelStatus::finished];
  result["n_failed"] = counts[LabelStatus::failed];
  result["n_timed_out"] = counts[LabelStatus::timed_out];
  result["n_cached"] = n_cached;
  result["n_calculated"] = run.n_calculated;
  result["cost"] = run.cost;
  result["complete"] = run.complete;
}

int run(const Arguments& arguments, nlohmann::json& result) {
  install_stop_signals();
  check_output(arguments.output);
  const Work work = read_work(arguments);
  if (work.requests.empty()) throw FormatError("the files hold no structure");
  const std::string ledger_path = arguments.ledger.empty() ? arguments.output + ".tz" : arguments.ledger;
  result["ledger"] = ledger_path;
  Ledger ledger(ledger_path);
  const TemporaryFolder scratch("tamiz-label");  // where the workers keep what they write
  const auto oracle = make_oracle(arguments.oracle, arguments.workers, scratch.path());
  require_version(*oracle, work.requests.front().settings);  // those of all
  const std::shared_ptr<const Potential> model = arguments.model.empty() ? nullptr : load_potential(arguments.model, {.threads = 1});
  const LabelRun labels = run_labels(*oracle, ledger, work.requests, arguments.retry_failed, stop_requested, curvature_by(model));
  summarize(labels, result);
  if (!labels.complete) {
    log::info(fmt::format("stopped; what is done is in {}, the same command goes on from there", ledger_path));
    return k_stopped;
  }
  const std::vector<Frame> frames = output_frames(work, labels, arguments.trajectory);
  if (!frames.empty()) {
    write_frames(arguments.output, frames);
    result["output"] = arguments.output;
  }
  log::info(fmt::format("{} of {} labels finished, {} calculated now in {:.1f} core-seconds; {}", result["n_finished"].get<int>(),
                        work.requests.size(), labels.n_calculated, labels.cost,
                        frames.empty() ? "nothing to write" : "written to " + arguments.output));
  return result["n_finished"] != 0 ? k_done : k_failed;
}

}  // namespace

void add_label(CLI::App& app) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* command = add_command(
      app, "label", "Calculate energies, forces and stresses with DFT or any other oracle",
      "tamiz label candidates.xyz --oracle gpaw --level pbe-600g --task relax -o labelled.xyz",
      [arguments](const Common&, nlohmann::json& result) { return run(*arguments, result); });
  command->add_option("files", arguments->files, "Structure files")->required()->check(CLI::ExistingFile);
  command->add_option("--oracle", arguments->oracle,
                      "gpaw, ase:module:callable, replay:LEDGER, replay-names:LEDGER, or a command that speaks the worker protocol");
  command->add_option("--level", arguments->level, "Settings by name (default for gpaw: pbe-600g)");
  command->add_option("--settings", arguments->settings, "JSON file of settings, in place of the level's")
      ->check(CLI::ExistingFile);
  command->add_option("--task", arguments->task, "single_point, relax or gap")
      ->check(CLI::IsMember({"single_point", "relax", "gap"}));
  command->add_option("--workers", arguments->workers, "Workers side by side (0: one per core)")->check(not_negative());
  command->add_option("--timeout", arguments->timeout, "CPU time of one label [core-seconds] (0: none)")->check(not_negative());
  command->add_option("--ledger", arguments->ledger, "Ledger that keeps the labels (default: OUTPUT.tz)");
  command->add_option("-o,--output", arguments->output, "Labelled structures")->required();
  command->add_option("--model", arguments->model, "Potential whose second derivatives relaxations of crystals begin with: fewer steps")
      ->check(CLI::ExistingFile);
  command->add_flag("--retry-failed", arguments->retry_failed, "Calculate again what failed before");
  command->add_flag("--trajectory", arguments->trajectory, "Write every geometry of a relaxation");
}

}  // namespace tamiz::cli
