#include <fmt/format.h>

#include <cmath>
#include <map>
#include <memory>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/log.hpp"
#include "tamiz/core/base/progress.hpp"
#include "tamiz/core/base/units.hpp"
#include "tamiz/core/io/format.hpp"
#include "tamiz/core/simulation/relax.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/screening/cli/command.hpp"
#include "tamiz/screening/cli/not_kept.hpp"

namespace tamiz::cli {
namespace {

struct Arguments {
  std::string model, output;
  std::vector<std::string> files;
  LoadOptions load;
  RelaxOptions relax;
  double pressure_gpa = 0.0;
};

struct Source {
  std::string file;
  std::size_t frame;
};

std::vector<Frame> read_all(const std::vector<std::string>& files, std::vector<Source>& sources) {
  std::vector<Frame> frames;
  for (const std::string& file : files) {
    std::size_t index = 0;
    for (Frame& frame : read_frames(file)) {
      frames.push_back(std::move(frame));
      sources.push_back({file, index++});
    }
  }
  return frames;
}

/// The relaxed structure with its energy, what became of it, and what the input said beside its labels.
Frame frame_of(const RelaxResult& result, Frame input) {
  Frame frame{result.structure, {}, std::move(input.info), std::move(input.arrays)};
  frame.arrays.erase("velocities");  // of another geometry
  for (const char* key : {"relax_status", "relax_steps", "relax_reason"}) frame.info.erase(key);  // of an earlier relaxation
  if (std::isfinite(result.energy)) frame.labels.energy = result.energy;
  frame.info["relax_status"] = to_string(result.status);
  frame.info["relax_steps"] = std::to_string(result.steps);
  if (!result.reason.empty()) frame.info["relax_reason"] = result.reason;
  return frame;
}

nlohmann::json json_of(const RelaxResult& result, const Source& source) {
  return {{"file", source.file},
          {"frame", source.frame},
          {"formula", result.structure.composition().formula()},
          {"status", to_string(result.status)},
          {"reason", result.reason},
          {"steps", result.steps},
          {"energy", result.energy},
          {"energy_per_atom", result.energy / static_cast<double>(result.structure.size())},
          {"volume_per_atom", result.structure.lattice().volume() / static_cast<double>(result.structure.size())},
          {"fmax", result.fmax},
          {"smax", result.smax}};
}

std::vector<RelaxResult> relax_all(const Potential& potential, std::span<const Structure> structures, const RelaxOptions& options) {
  Progress progress("relax", structures.size());
  return relax(potential, structures, options, [&](std::size_t done) {
    progress.update(done);
    return !stop_requested();
  });
}

int run(Arguments& arguments, const Common& common, nlohmann::json& result) {
  install_stop_signals();
  check_output(arguments.output);
  std::vector<Source> sources;
  std::vector<Frame> frames = read_all(arguments.files, sources);
  if (frames.empty()) throw FormatError("the files hold no structure");
  warn_of_held_atoms(frames);
  arguments.load.threads = threads_of(common);
  arguments.relax.pressure = arguments.pressure_gpa * units::k_gpa;
  const std::unique_ptr<Potential> potential = load_potential(arguments.model, arguments.load);
  std::vector<Structure> structures;
  for (const Frame& frame : frames) structures.push_back(frame.structure);

  const std::vector<RelaxResult> results = relax_all(*potential, structures, arguments.relax);

  std::map<std::string, int> counts;
  std::vector<Frame> relaxed;
  result["structures"] = nlohmann::json::array();
  for (std::size_t k = 0; k < results.size(); ++k) {
    ++counts[std::string(to_string(results[k].status))];
    relaxed.push_back(frame_of(results[k], std::move(frames[k])));
    result["structures"].push_back(json_of(results[k], sources[k]));
  }
  write_frames(arguments.output, relaxed);
  result["model"] = potential->name();
  result["output"] = arguments.output;
  result["counts"] = counts;
  if (!common.quiet)
    for (const auto& [status, n] : counts) fmt::print(common.tables(), "{:5} {}\n", n, status);
  if (counts.contains(std::string(to_string(RelaxStatus::stopped)))) {
    log::info(fmt::format("stopped; {} has what there is, and relaxing it goes on from there", arguments.output));
    return k_stopped;
  }
  return counts["converged"] > 0 ? k_done : k_failed;
}

}  // namespace

void add_relax(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = add_command(
      app, "relax", "Relax structures, positions and cell, as batches", "tamiz relax model.safetensors candidates.xyz -o relaxed.xyz",
      [arguments](const Common& common, nlohmann::json& result) { return run(*arguments, common, result); });
  add_model_argument(*command, arguments->model);
  command->add_option("files", arguments->files, "Structure files")->required()->check(CLI::ExistingFile);
  command->add_option("-o,--output", arguments->output, "File for the relaxed structures, format by its extension")->required();
  command->add_flag("--cell,!--no-cell", arguments->relax.cell, "Relax the lattice too (default)");
  command->add_option("--fmax", arguments->relax.fmax, "Largest force on an atom [eV/Å]")->check(positive())->capture_default_str();
  command->add_option("--smax", arguments->relax.smax, "Largest stress component [eV/Å³]")->check(positive())->capture_default_str();
  command->add_option("--pressure", arguments->pressure_gpa, "Target pressure [GPa]")->capture_default_str();
  command->add_option("--max-steps", arguments->relax.max_steps, "Steps before a structure counts as not converged")
      ->check(not_negative())->capture_default_str();
  command->add_option("--batch-atoms", arguments->relax.atoms_per_batch, "Atoms that are evaluated together")
      ->check(positive())->capture_default_str();
  add_load_options(*command, arguments->load);
}

}  // namespace tamiz::cli
