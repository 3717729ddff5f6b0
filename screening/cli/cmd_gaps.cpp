#include <fmt/format.h>

#include <memory>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/io/format.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/screening/cli/command.hpp"
#include "tamiz/screening/cli/labelled_frames.hpp"
#include "tamiz/screening/properties/crystal_features.hpp"
#include "tamiz/screening/properties/gap_model.hpp"

namespace tamiz::cli {
namespace {

struct Arguments {
  std::string model, gaps, output;
  std::vector<std::string> files;
  LoadOptions load;
};

void note(Frame& frame, const GapPrediction& gap, const std::string& level) {
  frame.info["gap_probability"] = format_double(gap.probability);
  frame.info["gap_predicted"] = format_double(gap.gap);
  frame.info["gap_sigma"] = format_double(gap.sigma);
  frame.info["gap_predicted_level"] = level;
}

int run(Arguments& arguments, const Common& common, nlohmann::json& result) {
  arguments.load.threads = threads_of(common);
  if (!arguments.output.empty()) check_output(arguments.output);
  std::vector<Frame> frames = read_labelled(arguments.files);
  const GapModel gaps = GapModel::load(arguments.gaps);
  if (gaps.potential() != potential_hash(arguments.model))
    throw CapabilityError(arguments.gaps + " was trained on the descriptors of another potential than " + arguments.model +
                          ": make one for this potential with tamiz train-gaps");
  const std::unique_ptr<Potential> potential = load_potential(arguments.model, arguments.load);
  const std::vector<Structure> structures = structures_for(*potential, frames);
  const PointRows features = crystal_features(*potential, structures);
  result = {{"level", gaps.level()}, {"gaps", nlohmann::json::array()}};
  if (common.speaks()) fmt::print("{:<24} {:>12} {:>9} {:>9}   ({})\n", "crystal", "has a gap", "gap [eV]", "sigma", gaps.level());
  for (std::size_t k = 0; k < frames.size(); ++k) {
    const std::optional<double> plain = plain_gap_of(frames[k]);
    const GapPrediction gap = gaps.predict(features.row(static_cast<Eigen::Index>(k)), plain);
    const auto id = frames[k].info.find("id");
    const std::string name = id == frames[k].info.end() ? structures[k].composition().reduced().formula() : id->second;
    result["gaps"].push_back({{"crystal", name}, {"probability", gap.probability}, {"gap", gap.gap}, {"sigma", gap.sigma},
                              {"from_plain_gap", plain.value_or(0.0) > 0.0 && gaps.knows_plain_gaps()}});
    if (common.speaks()) fmt::print("{:<24} {:>10.0f} % {:>9.2f} {:>9.2f}\n", name, 100.0 * gap.probability, gap.gap, gap.sigma);
    note(frames[k], gap, gaps.level());
  }
  if (!arguments.output.empty()) write_frames(arguments.output, frames);
  return k_done;
}

}  // namespace

void add_gaps(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = add_command(
      app, "gaps", "Predict band gaps, and whether there is one", "tamiz gaps model.safetensors gaps.h5 candidates.xyz -o predicted.xyz",
      [arguments](const Common& common, nlohmann::json& result) { return run(*arguments, common, result); });
  add_model_argument(*command, arguments->model);
  command->add_option("gaps", arguments->gaps, "Gap model that tamiz train-gaps made for the potential")->required()->check(CLI::ExistingFile);
  command->add_option("files", arguments->files, "Structures; a gap_pbe that is known is used")->required()->check(CLI::ExistingFile);
  command->add_option("-o,--output", arguments->output, "Structures with gap_probability, gap_predicted and gap_sigma");
  add_load_options(*command, arguments->load);
}

}  // namespace tamiz::cli
