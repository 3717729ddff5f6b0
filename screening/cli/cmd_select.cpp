#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/log.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/io/format.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/screening/cli/command.hpp"
#include "tamiz/screening/cli/labelled_frames.hpp"
#include "tamiz/screening/select/select.hpp"

namespace tamiz::cli {
namespace {

struct Arguments {
  std::string model, output;
  std::vector<std::string> files, known;
  SelectOptions options;
  LoadOptions load;
};

int run(Arguments& arguments, const Common& common, nlohmann::json& result) {
  arguments.load.threads = threads_of(common);
  if (arguments.options.min_sigma >= arguments.options.max_sigma)
    throw FormatError(fmt::format("nothing lies between --min-sigma {} and --max-sigma {}", arguments.options.min_sigma, arguments.options.max_sigma));
  check_output(arguments.output);
  std::vector<Frame> frames = read_labelled(arguments.files);
  const std::vector<Frame> known = arguments.known.empty() ? std::vector<Frame>() : read_labelled(arguments.known);
  const std::unique_ptr<Potential> potential = load_potential(arguments.model, arguments.load);
  const std::vector<Selected> chosen =
      select(*potential, structures_for(*potential, frames), structures_for(*potential, known), arguments.options);
  std::vector<Frame> selected;
  result = {{"frames", frames.size()}, {"known", known.size()}, {"selected", nlohmann::json::array()}, {"output", arguments.output}};
  for (const Selected& one : chosen) {
    Frame& frame = selected.emplace_back(frames[one.index]);
    frame.info["select_sigma"] = format_double(one.sigma);
    nlohmann::json entry{{"index", one.index}, {"sigma", one.sigma}, {"distance", nullptr}, {"relative_cost", one.cost}};
    if (std::isfinite(one.distance)) {
      frame.info["select_distance"] = format_double(one.distance);
      entry["distance"] = one.distance;
    }
    result["selected"].push_back(entry);
  }
  if (selected.empty()) throw FormatError("no structure is left to select: all are known, or outside of --min-sigma and --max-sigma");
  write_frames(arguments.output, selected);
  log::info(fmt::format("{} of {} structures selected, sigma from {:.4f} down to {:.4f} eV/atom, written to {}", selected.size(), frames.size(),
                        std::ranges::max(chosen, {}, &Selected::sigma).sigma, std::ranges::min(chosen, {}, &Selected::sigma).sigma,
                        arguments.output));
  return k_done;
}

}  // namespace

void add_select(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = add_command(
      app, "select", "Choose structures to label: those a potential doubts and that differ", "tamiz select model.safetensors snapshots.xyz --known labelled.xyz -n 50 -o next.xyz",
      [arguments](const Common& common, nlohmann::json& result) { return run(*arguments, common, result); });
  add_model_argument(*command, arguments->model);
  command->add_option("files", arguments->files, "Structures to choose from, snapshots of molecular dynamics say")->required()->check(CLI::ExistingFile);
  command->add_option("-n,--number", arguments->options.n, "Structures to choose")->check(CLI::PositiveNumber)->capture_default_str();
  command->add_option("--known", arguments->known, "Structures that are labelled already: nothing like them is chosen")->check(CLI::ExistingFile);
  command->add_option("--min-sigma", arguments->options.min_sigma, "Least uncertainty [eV/atom]")->check(not_negative());
  command->add_option("--max-sigma", arguments->options.max_sigma, "Largest uncertainty [eV/atom]: what lies above is torn")->check(positive());
  command->add_flag("--per-cost", arguments->options.per_cost, "Choose by what a label teaches for what it is expected to cost: small and symmetric cells sooner");
  command->add_option("-o,--output", arguments->output, "Chosen structures, in the order in which they were")->required();
  add_load_options(*command, arguments->load);
}

}  // namespace tamiz::cli
