#include <fmt/format.h>

#include <memory>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/log.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/io/splits.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/screening/cli/command.hpp"
#include "tamiz/screening/cli/labelled_frames.hpp"
#include "tamiz/screening/properties/crystal_features.hpp"
#include "tamiz/screening/properties/gap_errors.hpp"

namespace tamiz::cli {
namespace {

struct Arguments {
  std::string model, output, level = "GLLB-SC";
  std::vector<std::string> files;
  LoadOptions load;
};

/// The frames whose gap was calculated at the level, with their features.
std::vector<GapSample> samples_of(const Potential& potential, std::span<const Frame> frames, const std::string& level) {
  std::vector<GapSample> samples;
  std::vector<Frame> labelled;
  for (const Frame& frame : frames) {
    const auto gap = frame.info.find("gap"), its_level = frame.info.find("gap_level");
    if (gap == frame.info.end() || its_level == frame.info.end() || its_level->second != level) continue;
    GapSample sample;
    sample.group = frame.structure.composition().reduced().formula();
    sample.gap = parse_double(gap->second, "gap");
    sample.plain_gap = plain_gap_of(frame);
    samples.push_back(std::move(sample));
    labelled.push_back(frame);
  }
  const PointRows features = crystal_features(potential, structures_for(potential, labelled));
  for (std::size_t k = 0; k < samples.size(); ++k) samples[k].features = features.row(static_cast<Eigen::Index>(k));
  return samples;
}

nlohmann::json as_json(const GapErrors& e) {
  return {{"crystals", e.n}, {"kind_right", e.right}, {"kind_right_of_commoner", e.commoner}, {"log_loss", e.log_loss},
          {"gaps", e.n_gaps}, {"mae", e.mae}, {"mae_of_mean", e.mae_of_mean}, {"within_sigma", e.within_sigma},
          {"with_plain", e.n_plain}, {"mae_with_plain", e.mae_with_plain}, {"mae_of_scaled", e.mae_of_scaled}};
}

void print(const char* title, const GapErrors& e) {
  fmt::print("{}\n", title);
  fmt::print("  metal or not       {:5.1f} % of {} right, {:.1f} % by the commoner kind\n", 100.0 * e.right, e.n, 100.0 * e.commoner);
  fmt::print("  from the structure {:5.2f} eV mean error of {} gaps, {:.2f} eV by their mean; {:.0f} % within sigma\n", e.mae, e.n_gaps,
             e.mae_of_mean, 100.0 * e.within_sigma);
  if (e.n_plain > 0)
    fmt::print("  with a plain gap   {:5.2f} eV mean error of {} gaps, {:.2f} eV by scaling it\n", e.mae_with_plain, e.n_plain, e.mae_of_scaled);
}

int run(Arguments& arguments, const Common& common, nlohmann::json& result) {
  arguments.load.threads = threads_of(common);
  check_output(arguments.output, false);
  const std::vector<Frame> frames = read_labelled(arguments.files);
  const std::unique_ptr<Potential> potential = load_potential(arguments.model, arguments.load);
  std::vector<Frame> training = frames, test;
  if (names_splits(frames)) {
    test = of_split(frames, "test");
    std::erase_if(training, [](const Frame& frame) { return is_of_split(frame, "test"); });
  }
  const std::vector<GapSample> samples = samples_of(*potential, training, arguments.level);
  if (samples.empty())
    throw FormatError(fmt::format("none of the {} frames has a gap of level {}: label them with --task gap", training.size(), arguments.level));
  const GapModel model(samples, potential_hash(arguments.model), arguments.level);
  model.save(arguments.output);
  result = {{"cross_validated", nullptr}, {"output", arguments.output}};
  try {
    const GapErrors inside = cross_validated(samples);
    result["cross_validated"] = as_json(inside);
    if (common.speaks()) print("cross-validated, compositions left out", inside);
  } catch (const ShapeError& error) {
    log::warning(fmt::format("the errors of the model are not known: {}", error.what()));
  }
  if (const std::vector<GapSample> left_out = samples_of(*potential, test, arguments.level); !left_out.empty()) {
    const GapErrors outside = gap_errors(model, left_out);
    result["test"] = as_json(outside);
    if (common.speaks()) print("test split", outside);
  }
  log::info(fmt::format("gap model of {} crystals written to {}", samples.size(), arguments.output));
  return k_done;
}

}  // namespace

void add_train_gaps(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = add_command(
      app, "train-gaps", "Train a model of band gaps on the descriptors of a potential", "tamiz train-gaps model.safetensors nitrides.h5 -o gaps.h5",
      [arguments](const Common& common, nlohmann::json& result) { return run(*arguments, common, result); });
  add_model_argument(*command, arguments->model);
  command->add_option("files", arguments->files, "Crystals with gaps: data sets, or structures with gap, gap_level and gap_pbe; the split test is left out")
      ->required()->check(CLI::ExistingFile);
  command->add_option("--level", arguments->level, "Gaps to learn: those whose gap_level says so")->capture_default_str();
  command->add_option("-o,--output", arguments->output, "Gap model (.h5)")->required();
  add_load_options(*command, arguments->load);
}

}  // namespace tamiz::cli
