#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <optional>
#include <span>
#include <vector>

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

/// What came out for one structure.
struct Vibrations {
  std::array<int, 3> copies;
  std::size_t n_supercell_atoms;
  double largest_force;
  Phonons::Mode lowest;
  bool stable;
  Eigen::VectorXd zone_centre;
  std::vector<HarmonicProperties> thermal;  ///< none of molecules, which turn, too
  std::optional<Structure> along;           ///< its unstable mode, where it has one
};

struct Entry {
  std::size_t frame;
  Structure structure;
  std::string status;  ///< of the relaxation, or why there is nothing
  std::optional<Vibrations> vibrations = {};
};

/// What an unstable structure distorts into.
struct Descent {
  std::size_t frame;
  RelaxResult end;
  double gain;  ///< [eV/atom]
};

/// What cannot hold all structures is refused before the work.
void check_output_of(const std::string& output, std::size_t n_structures) {
  if (output.empty()) return;
  check_output(output);
  if (n_structures > 1 && !format_for(output).many_frames)
    throw CapabilityError(output + " holds one structure, and there are " + std::to_string(n_structures) + ": write extended XYZ (.xyz)");
}

std::vector<RelaxResult> relax_tightly(const Potential& potential, const std::vector<Structure>& structures) {
  Progress progress("relax", structures.size());
  return relax(potential, structures, k_before_phonons, [&](std::size_t done) {
    progress.update(done);
    return !stop_requested();
  });
}

std::vector<Entry> starts_of(const Potential& potential, const std::vector<Frame>& frames, const Arguments& arguments) {
  std::vector<Structure> structures;
  for (const Frame& frame : frames) structures.push_back(arguments.primitive ? phonon_cell(frame.structure) : frame.structure);
  std::vector<Entry> entries;
  if (!arguments.relax) {
    for (std::size_t k = 0; k < frames.size(); ++k) entries.push_back({k, structures[k], "as given"});
    return entries;
  }
  const std::vector<RelaxResult> results = relax_tightly(potential, structures);
  for (std::size_t k = 0; k < frames.size(); ++k) entries.push_back({k, results[k].structure, std::string(to_string(results[k].status))});
  return entries;
}

std::vector<HarmonicProperties> thermal_properties(const Phonons& phonons, const Structure& cell, const Arguments& arguments) {
  std::vector<HarmonicProperties> properties;
  if (cell.periodicity() == k_molecule) return properties;
  const Eigen::MatrixXd modes = phonons.frequencies(phonon_mesh(copies_for(cell, k_mesh_length)), arguments.load.threads);
  for (const double temperature : arguments.temperatures) properties.push_back(harmonic_properties(modes, temperature));
  return properties;
}

/// Throws Stopped where a signal came.
Vibrations vibrations_of(const Potential& potential, const Structure& cell, const Arguments& arguments) {
  Progress progress("phonon " + cell.composition().formula(), 3 * cell.size());
  const ForceConstants constants =
      force_constants(potential, cell, copies_for(cell, arguments.length), arguments.force_constants, [&](std::size_t done, std::size_t) {
        progress.update(done);
        if (stop_requested()) throw Stopped{};
      });
  const Phonons phonons(constants);
  const Phonons::Mode lowest = phonons.lowest(arguments.load.threads);
  const bool stable = lowest.frequency > -arguments.tolerance;
  return {constants.copies,
          static_cast<std::size_t>(constants.values.cols()) / 3,
          constants.largest_force,
          lowest,
          stable,
          phonons.frequencies(Vec3::Zero()),
          thermal_properties(phonons, cell, arguments),
          stable ? std::nullopt : std::optional(phonons.along_lowest(lowest.wave_vector, k_amplitude))};
}

/// Fills in the vibrations of what is at its minimum; one that fails does not stop the others. Throws Stopped.
void vibrate(const Potential& potential, Entry& entry, const Arguments& arguments) {
  if (entry.status != "converged" && entry.status != "as given") return;
  try {
    entry.vibrations = vibrations_of(potential, entry.structure, arguments);
  } catch (const Error& error) {
    entry.status = std::string("failed: ") + error.what();
    return;
  }
  if (entry.vibrations->largest_force > k_loose_force)
    log::warning(fmt::format("{}: forces of {:.2g} eV/Å are left, so that these are not vibrations about a minimum: leave out --no-relax",
                             entry.structure.composition().formula(), entry.vibrations->largest_force));
}

std::vector<Descent> follow(const Potential& potential, std::span<const Entry> entries) {
  std::vector<Structure> along;
  std::vector<const Entry*> unstable;
  for (const Entry& entry : entries) {
    if (!entry.vibrations || !entry.vibrations->along) continue;
    along.push_back(*entry.vibrations->along);
    unstable.push_back(&entry);
  }
  std::vector<Descent> descents;
  if (along.empty()) return descents;
  const std::vector<RelaxResult> ends = relax_tightly(potential, along);
  for (std::size_t k = 0; k < ends.size(); ++k) {
    const Structure& parent = unstable[k]->structure;
    const double before = evaluate(potential, std::vector<Structure>{parent}).energies[0] / static_cast<double>(parent.size());
    descents.push_back({unstable[k]->frame, ends[k], before - ends[k].energy / static_cast<double>(ends[k].structure.size())});
  }
  return descents;
}

std::string point_text(const Vec3& point) { return fmt::format("{:.4g} {:.4g} {:.4g}", point[0], point[1], point[2]); }

nlohmann::json json_of(const Entry& entry) {
  nlohmann::json json{{"frame", entry.frame}, {"formula", entry.structure.composition().formula()}, {"status", entry.status}, {"n_atoms", entry.structure.size()}};
  if (!entry.vibrations) return json;
  const Vibrations& v = *entry.vibrations;
  json.update({{"supercell", v.copies},
               {"n_supercell_atoms", v.n_supercell_atoms},
               {"largest_force", v.largest_force},
               {"lowest_frequency", v.lowest.frequency},
               {"lowest_at", std::vector<double>(v.lowest.wave_vector.begin(), v.lowest.wave_vector.end())},
               {"stable", v.stable},
               {"zone_centre", std::vector<double>(v.zone_centre.begin(), v.zone_centre.end())},
               {"thermal", nlohmann::json::array()}});
  for (const HarmonicProperties& at : v.thermal)
    json["thermal"].push_back({{"temperature", at.temperature}, {"free_energy", at.free_energy}, {"entropy", at.entropy}, {"heat_capacity", at.heat_capacity}});
  return json;
}

nlohmann::json json_of(const Descent& descent) {
  return {{"frame", descent.frame}, {"formula", descent.end.structure.composition().formula()}, {"status", to_string(descent.end.status)}, {"gain_per_atom", descent.gain}};
}

/// The structure that vibrates, with what came out.
Frame frame_of(const Entry& entry, const Frame& input) {
  Frame frame{entry.structure, {}, input.info, {}};
  for (const char* key : {"phonon_status", "lowest_frequency", "lowest_at", "dynamically_stable"}) frame.info.erase(key);
  frame.info["phonon_status"] = entry.status;
  if (!entry.vibrations) return frame;
  frame.info["lowest_frequency"] = format_double(entry.vibrations->lowest.frequency);
  frame.info["lowest_at"] = point_text(entry.vibrations->lowest.wave_vector);
  frame.info["dynamically_stable"] = entry.vibrations->stable ? "true" : "false";
  return frame;
}

Frame frame_of(const Descent& descent) {
  Frame frame{descent.end.structure, {}, {}, {}};
  frame.info["follows_frame"] = std::to_string(descent.frame);
  frame.info["relax_status"] = to_string(descent.end.status);
  if (!std::isfinite(descent.end.energy)) return frame;
  frame.labels.energy = descent.end.energy;
  frame.info["gain_per_atom"] = format_double(descent.gain);
  return frame;
}

void say(const Entry& entry, double tolerance) {
  const std::string formula = entry.structure.composition().formula();
  if (!entry.vibrations) return fmt::print("{:16} {}\n", formula, entry.status);
  const Vibrations& v = *entry.vibrations;
  fmt::print("{:16} {:5} atoms   lowest {:8.3f} THz at ({})   {}\n", formula, v.n_supercell_atoms, v.lowest.frequency, point_text(v.lowest.wave_vector),
             v.stable ? "stable" : fmt::format("unstable: below {:.2g} THz", -tolerance));
}

void write_descents(std::span<const Descent> descents, const std::string& output, const Common& common, nlohmann::json& result) {
  result["followed"] = nlohmann::json::array();
  std::vector<Frame> frames;
  for (const Descent& descent : descents) {
    if (common.speaks())
      fmt::print("{:16} follows frame {}: {}, {:.1f} meV/atom lower\n", descent.end.structure.composition().formula(), descent.frame,
                 to_string(descent.end.status), 1e3 * descent.gain);
    frames.push_back(frame_of(descent));
    result["followed"].push_back(json_of(descent));
  }
  if (frames.empty()) return log::info("no structure is unstable: there is none to follow");
  write_frames(output, frames);
}

int run(Arguments& arguments, const Common& common, nlohmann::json& result) {
  install_stop_signals();
  const std::vector<Frame> frames = read_frames(arguments.file);
  if (frames.empty()) throw FormatError("the file holds no structure");
  for (const std::string& output : {arguments.output, arguments.follow}) check_output_of(output, frames.size());
  if (arguments.relax) warn_of_held_atoms(frames);
  arguments.load.threads = threads_of(common);
  const std::unique_ptr<Potential> potential = load_potential(arguments.model, arguments.load);
  result = {{"model", potential->name()}, {"tolerance", arguments.tolerance}, {"structures", nlohmann::json::array()}};

  std::vector<Entry> entries = starts_of(*potential, frames, arguments);
  std::vector<Frame> written;
  std::size_t n_done = 0;
  try {
    for (Entry& entry : entries) {
      if (stop_requested()) throw Stopped{};
      vibrate(*potential, entry, arguments);
      n_done += entry.vibrations.has_value();
      if (common.speaks()) say(entry, arguments.tolerance);
      written.push_back(frame_of(entry, frames[entry.frame]));
      result["structures"].push_back(json_of(entry));
    }
  } catch (const Stopped&) {
    log::info(fmt::format("stopped after {} of {} structures", written.size(), entries.size()));
  }
  if (!arguments.output.empty() && !written.empty()) write_frames(arguments.output, written);
  if (written.size() < entries.size()) return k_stopped;
  if (!arguments.follow.empty()) write_descents(follow(*potential, entries), arguments.follow, common, result);
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
