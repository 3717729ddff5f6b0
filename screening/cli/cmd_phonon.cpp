#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <optional>

#include "tamiz/core/analysis/phonons.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/log.hpp"
#include "tamiz/core/base/progress.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/io/format.hpp"
#include "tamiz/core/simulation/relax.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/screening/cli/command.hpp"
#include "tamiz/screening/cli/not_kept.hpp"

namespace tamiz::cli {
namespace {

constexpr double k_mesh_length = 50.0;  // [Å] that the mesh for sums over the zone resolves
constexpr double k_amplitude = 0.1;     // [Å] of the first step along an unstable mode
constexpr double k_loose_force = 0.02;  // [eV/Å] above it, what is said of a geometry that was not relaxed is no verdict

struct Arguments {
  std::string model, file, output, follow;
  LoadOptions load;
  ForceConstantOptions force_constants;
  double length = k_phonon_length;        // [Å]
  double tolerance = k_phonon_tolerance;  // [THz]
  std::vector<double> temperatures{300.0};
  bool relax = true, primitive = true;
};

struct Stopped {};

std::vector<RelaxResult> relax_tightly(const Potential& potential, const std::vector<Structure>& structures) {
  Progress progress("relax", structures.size());
  return relax(potential, structures, k_before_phonons, [&](std::size_t done) {
    progress.update(done);
    return !stop_requested();
  });
}

nlohmann::json thermal_json(const Phonons& phonons, const Structure& cell, const Arguments& arguments, int threads) {
  nlohmann::json rows = nlohmann::json::array();
  if (cell.periodicity() == k_molecule) return rows;
  const Eigen::MatrixXd modes = phonons.frequencies(phonon_mesh(copies_for(cell, k_mesh_length)), threads);
  for (const double temperature : arguments.temperatures) {
    const HarmonicProperties at = harmonic_properties(modes, temperature);
    rows.push_back({{"temperature", at.temperature},
                    {"free_energy", at.free_energy},
                    {"entropy", at.entropy},
                    {"heat_capacity", at.heat_capacity}});
  }
  return rows;
}

std::string point_text(const Vec3& point) { return fmt::format("{:.4g} {:.4g} {:.4g}", point[0], point[1], point[2]); }

/// What cannot hold all structures is refused before the work.
void check_output_of(const std::string& output, std::size_t n_structures) {
  if (output.empty()) return;
  check_output(output);
  if (n_structures > 1 && !format_for(output).many_frames)
    throw CapabilityError(output + " holds one structure, and there are " + std::to_string(n_structures) + ": write extended XYZ (.xyz)");
}

struct Vibrations {
  nlohmann::json entry;
  std::optional<Structure> along;  ///< its unstable mode, where it has one
};

/// Vibrations of one structure. Throws Stopped where a signal came.
Vibrations vibrations_of(const Potential& potential, const Structure& cell, const Arguments& arguments, int threads) {
  Progress progress("phonon " + cell.composition().formula(), 3 * cell.size());
  const ForceConstants constants =
      force_constants(potential, cell, copies_for(cell, arguments.length), arguments.force_constants, [&](std::size_t done, std::size_t) {
        progress.update(done);
        if (stop_requested()) throw Stopped{};
      });
  const Phonons phonons(constants);
  const Phonons::Mode lowest = phonons.lowest(threads);
  const Eigen::VectorXd centre = phonons.frequencies(Vec3::Zero());
  const bool is_stable = lowest.frequency > -arguments.tolerance;
  nlohmann::json entry{{"supercell", constants.copies},
          {"n_atoms", cell.size()},
          {"n_supercell_atoms", static_cast<std::size_t>(constants.values.cols()) / 3},
          {"largest_force", constants.largest_force},
          {"lowest_frequency", lowest.frequency},
          {"lowest_at", {lowest.wave_vector[0], lowest.wave_vector[1], lowest.wave_vector[2]}},
          {"stable", is_stable},
          {"zone_centre", std::vector<double>(centre.begin(), centre.end())},
          {"thermal", thermal_json(phonons, cell, arguments, threads)}};
  return {std::move(entry), is_stable ? std::nullopt : std::optional(phonons.along_lowest(lowest.wave_vector, k_amplitude))};
}

/// What unstable crystals distort into, with the frame that each comes from and what it gains.
std::vector<Frame> followed(const Potential& potential, const std::vector<Structure>& along, const std::vector<std::size_t>& sources,
                            const std::vector<Structure>& parents) {
  std::vector<Frame> frames;
  const std::vector<RelaxResult> ends = relax_tightly(potential, along);
  for (std::size_t k = 0; k < ends.size(); ++k) {
    const double before = evaluate(potential, std::vector<Structure>{parents[k]}).energies[0] / static_cast<double>(parents[k].size());
    Frame frame{ends[k].structure, {}, {}, {}};
    frame.info["follows_frame"] = std::to_string(sources[k]);
    frame.info["relax_status"] = to_string(ends[k].status);
    if (std::isfinite(ends[k].energy)) {
      frame.labels.energy = ends[k].energy;
      frame.info["gain_per_atom"] = format_double(before - ends[k].energy / static_cast<double>(ends[k].structure.size()));
    }
    frames.push_back(std::move(frame));
  }
  return frames;
}

/// The structure that vibrates, with what came out.
Frame frame_of(const Structure& structure, const Frame& input, const nlohmann::json& entry) {
  Frame frame{structure, {}, input.info, {}};
  for (const char* key : {"phonon_status", "lowest_frequency", "lowest_at", "dynamically_stable"}) frame.info.erase(key);
  frame.info["phonon_status"] = entry.at("status").get<std::string>();
  if (!entry.contains("stable")) return frame;
  const auto& at = entry.at("lowest_at");
  frame.info["lowest_frequency"] = format_double(entry.at("lowest_frequency").get<double>());
  frame.info["lowest_at"] = point_text({at[0].get<double>(), at[1].get<double>(), at[2].get<double>()});
  frame.info["dynamically_stable"] = entry.at("stable").get<bool>() ? "true" : "false";
  return frame;
}

void say(const nlohmann::json& entry, double tolerance) {
  if (!entry.contains("stable")) {
    fmt::print("{:16} {}\n", entry.at("formula").get<std::string>(), entry.at("status").get<std::string>());
    return;
  }
  const auto& at = entry.at("lowest_at");
  fmt::print("{:16} {:5} atoms   lowest {:8.3f} THz at ({})   {}\n", entry.at("formula").get<std::string>(),
             entry.at("n_supercell_atoms").get<std::size_t>(), entry.at("lowest_frequency").get<double>(),
             point_text({at[0].get<double>(), at[1].get<double>(), at[2].get<double>()}),
             entry.at("stable").get<bool>() ? "stable" : fmt::format("unstable: below {:.2g} THz", -tolerance));
}

void follow(const Potential& potential, const std::vector<Structure>& along, const std::vector<std::size_t>& sources,
            const std::vector<Structure>& parents, const std::string& output, const Common& common, nlohmann::json& result) {
  result["followed"] = nlohmann::json::array();
  if (along.empty()) {
    log::info("no structure is unstable: there is none to follow");
    return;
  }
  const std::vector<Frame> ends = followed(potential, along, sources, parents);
  for (const Frame& end : ends) {
    nlohmann::json entry{{"frame", static_cast<std::size_t>(parse_double(end.info.at("follows_frame"), "follows_frame"))}, {"formula", end.structure.composition().formula()}, {"status", end.info.at("relax_status")}};
    if (const auto gain = end.info.find("gain_per_atom"); gain != end.info.end()) entry["gain_per_atom"] = parse_double(gain->second, "gain_per_atom");
    if (common.speaks())
      fmt::print("{:16} follows frame {}: {}, {:.1f} meV/atom lower\n", entry["formula"].get<std::string>(), entry["frame"].get<std::size_t>(),
                 entry["status"].get<std::string>(), 1e3 * entry.value("gain_per_atom", 0.0));
    result["followed"].push_back(std::move(entry));
  }
  write_frames(output, ends);
}

struct Start {
  Structure structure;
  std::string status;  ///< of the relaxation
};

std::vector<Start> starts_of(const Potential& potential, const std::vector<Frame>& frames, const Arguments& arguments) {
  std::vector<Structure> structures;
  for (const Frame& frame : frames) structures.push_back(arguments.primitive ? phonon_cell(frame.structure) : frame.structure);
  std::vector<Start> starts;
  if (!arguments.relax) {
    for (Structure& structure : structures) starts.push_back({std::move(structure), "as given"});
    return starts;
  }
  for (const RelaxResult& result : relax_tightly(potential, structures)) starts.push_back({result.structure, std::string(to_string(result.status))});
  return starts;
}

int run(Arguments& arguments, const Common& common, nlohmann::json& result) {
  install_stop_signals();
  const std::vector<Frame> frames = read_frames(arguments.file);
  if (frames.empty()) throw FormatError("the file holds no structure");
  for (const std::string& output : {arguments.output, arguments.follow}) check_output_of(output, frames.size());
  if (arguments.relax) warn_of_held_atoms(frames);
  arguments.load.threads = threads_of(common);
  const std::unique_ptr<Potential> potential = load_potential(arguments.model, arguments.load);
  const std::vector<Start> starts = starts_of(*potential, frames, arguments);
  std::vector<Frame> written;
  std::vector<Structure> along, parents;
  std::vector<std::size_t> sources;
  result = {{"model", potential->name()}, {"tolerance", arguments.tolerance}, {"structures", nlohmann::json::array()}};
  bool is_stopped = stop_requested();
  std::size_t n_done = 0;
  for (std::size_t k = 0; k < starts.size() && !is_stopped; ++k) {
    const auto& [structure, status] = starts[k];
    nlohmann::json entry{{"frame", k}, {"formula", structure.composition().formula()}, {"status", status}};
    try {
      if (status == "converged" || status == "as given") {
        Vibrations found = vibrations_of(*potential, structure, arguments, arguments.load.threads);
        entry.update(found.entry);
        if (found.along) {
          along.push_back(*std::move(found.along));
          parents.push_back(structure);
          sources.push_back(k);
        }
      }
    } catch (const Stopped&) {
      is_stopped = true;
      break;
    } catch (const Error& error) {  // of this structure; the others go on
      entry["status"] = std::string("failed: ") + error.what();
    }
    n_done += entry.contains("stable");
    if (entry.value("largest_force", 0.0) > k_loose_force)
      log::warning(fmt::format("{}: forces of {:.2g} eV/Å are left, so that these are not vibrations about a minimum: leave out --no-relax",
                            entry.at("formula").get<std::string>(), entry.at("largest_force").get<double>()));
    if (common.speaks()) say(entry, arguments.tolerance);
    written.push_back(frame_of(structure, frames[k], entry));
    result["structures"].push_back(std::move(entry));
  }
  if (!arguments.output.empty() && !written.empty()) write_frames(arguments.output, written);
  if (!arguments.follow.empty() && !is_stopped) follow(*potential, along, sources, parents, arguments.follow, common, result);
  if (is_stopped) {
    log::info(fmt::format("stopped after {} of {} structures", written.size(), starts.size()));
    return k_stopped;
  }
  return n_done > 0 ? k_done : k_failed;
}

}  // namespace

void add_phonon(CLI::App& app) {
  const auto arguments = std::make_shared<Arguments>();
  CLI::App* command = add_command(
      app, "phonon", "Vibrations of structures, and whether they are dynamically stable", "tamiz phonon model.safetensors candidates.xyz -o checked.xyz",
      [arguments](const Common& common, nlohmann::json& result) { return run(*arguments, common, result); });
  add_model_argument(*command, arguments->model);
  command->add_option("file", arguments->file, "File with one or more structures")->required()->check(CLI::ExistingFile);
  command->add_option("-o,--output", arguments->output, "File for the structures that vibrate, with their lowest frequency");
  command->add_option("--follow", arguments->follow, "File for what unstable structures distort into: relaxed along their lowest mode");
  command->add_flag("--relax,!--no-relax", arguments->relax, "Relax atoms and cell before, tightly (default)");
  command->add_flag("--primitive,!--no-primitive", arguments->primitive, "Of the primitive cell (default), not of the cell as it is given");
  command->add_option("--length", arguments->length, "Least distance between opposite faces of the supercell [Å]")
      ->check(positive())->capture_default_str();
  command->add_option("--tolerance", arguments->tolerance, "Imaginary frequencies up to here do not count as unstable [THz]")
      ->check(not_negative())->capture_default_str();
  command->add_option("--temperatures", arguments->temperatures, "For free energy, entropy and heat capacity in --json [K]")
      ->check(not_negative())->capture_default_str();
  command->add_option("--displacement", arguments->force_constants.displacement,
                      "Of atoms, for potentials without second derivatives [Å]")->check(positive())->capture_default_str();
  add_load_options(*command, arguments->load);
}

}  // namespace tamiz::cli
