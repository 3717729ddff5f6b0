#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <optional>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/hash.hpp"
#include "tamiz/core/base/log.hpp"
#include "tamiz/core/base/progress.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/io/format.hpp"
#include "tamiz/core/simulation/dynamics.hpp"
#include "tamiz/core/simulation/trajectory.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/screening/cli/command.hpp"
#include "tamiz/screening/cli/not_kept.hpp"

namespace tamiz::cli {
namespace {

struct Arguments {
  std::string model, file, output, ensemble = "nve";
  LoadOptions load;
  DynamicsOptions dynamics;
  std::int64_t every = 10;
  bool resume = false, new_velocities = false;
};

const std::string k_settings_key = "md";

/// What must be the same for a run to go on as if it had not been interrupted; written into every frame.
std::string settings_of(const Arguments& a) {
  std::string text = a.ensemble + " timestep " + format_double(a.dynamics.timestep) + " temperature " +
                     format_double(a.dynamics.temperature) + " seed " + std::to_string(a.dynamics.seed);
  if (a.dynamics.ensemble == Ensemble::langevin) text += " friction " + format_double(a.dynamics.friction);
  if (!a.load.engine.empty()) text += " engine " + a.load.engine;
  if (a.load.device != "cpu") text += " device " + a.load.device;
  return text + " " + a.load.dtype + " model " + hash_hex(read_file(a.model)).substr(0, 16);
}

/// The state to go on from, where the trajectory holds one.
std::optional<State> resume_from(const std::optional<Frame>& last, const std::string& settings, const Arguments& a) {
  if (!last) return std::nullopt;
  const auto found = last->info.find(k_settings_key);
  const std::string before = found == last->info.end() ? "other settings" : found->second;
  if (before != settings)
    throw CapabilityError(a.output + " was made with '" + before + "' and cannot go on with '" + settings +
                          "'; use the settings it was made with, or another output");
  return state_of(*last);
}

/// A frame of another run has velocities to begin with; others are drawn.
State begin(const Frame& input, const Batch& batch, const Arguments& a) {
  State state = State::of(std::span(&input.structure, 1));
  const auto given = input.arrays.find("velocities");
  if (!a.new_velocities && given != input.arrays.end() && given->second.cols() == 3) {
    state.velocities = given->second;
    log::info(fmt::format("beginning with the velocities of {}, {:.0f} K; --new-velocities draws others", a.file, temperature_of(batch, state)));
  } else {
    set_thermal_velocities(batch, state, a.dynamics.temperature, a.dynamics.seed);
  }
  return state;
}

Frame frame_to_write(const Batch& batch, const State& state, const Prediction& prediction, const Arguments& a,
                     const std::string& settings) {
  Frame frame = trajectory_frame(batch, state, prediction);
  frame.info["time"] = format_double(static_cast<double>(state.step) * a.dynamics.timestep);
  frame.info["temperature"] = format_double(temperature_of(batch, state));
  frame.info[k_settings_key] = settings;
  return frame;
}

Trajectory open_trajectory(const Arguments& a, std::optional<Frame>& last) {
  if (format_for(a.output).name != "extxyz")
    throw CapabilityError("a trajectory is written as extended xyz (.xyz or .extxyz), got " + a.output);
  if (!std::filesystem::exists(a.output)) return Trajectory::create(a.output);
  if (!a.resume) throw FileError(a.output + " exists already; add --resume to go on with it, or choose another name");
  Trajectory trajectory = Trajectory::resume(a.output, last);
  // A run that was killed while it wrote its first frame left a part of it.
  if (!last && std::filesystem::file_size(a.output) > 0 && read_file(a.output).find(" " + k_settings_key + "=") == std::string::npos)
    throw FormatError(a.output + " holds no frame of a run to go on with: choose another output, or remove it");
  return trajectory;
}

int run(Arguments& a, const Common& common, nlohmann::json& result) {
  install_stop_signals();
  a.dynamics.ensemble = a.ensemble == "nve" ? Ensemble::nve : Ensemble::langevin;
  a.load.threads = threads_of(common);
  const Frame input = read_frame(a.file);
  warn_of_held_atoms(std::span(&input, 1));
  warn_of_masses(input);
  const std::vector<Structure> structure{input.structure};
  const Batch batch(structure);
  const std::unique_ptr<Potential> potential = load_potential(a.model, a.load);
  require_species(*potential, batch.species());
  const std::string settings = settings_of(a);
  std::optional<Frame> last;
  Trajectory trajectory = open_trajectory(a, last);

  State state;
  if (std::optional<State> before = resume_from(last, settings, a)) {
    state = std::move(*before);
    if (!std::ranges::equal(last->structure.species(), structure[0].species()) || last->structure.periodicity() != structure[0].periodicity())
      throw CapabilityError(a.output + " holds " + last->structure.composition().formula() + ", not the " +
                            structure[0].composition().formula() + " of " + a.file +
                            " in the same order of atoms and with the same periodic directions");
    log::info(fmt::format("going on from step {}", state.step));
  } else {
    if (a.resume) log::info(fmt::format("{} holds no step yet: starting from the beginning", a.output));
    state = begin(input, batch, a);
    trajectory.append(frame_to_write(batch, state, evaluate(*potential, structure), a, settings));
  }

  double first = std::nan(""), drift = 0.0, energy = std::nan("");
  {
    Progress progress("md", static_cast<std::size_t>(a.dynamics.steps), static_cast<std::size_t>(state.step));
    run_dynamics(*potential, batch, state, a.dynamics, [&](const Snapshot& snapshot) {
      if (std::isnan(first)) first = snapshot.conserved_energy;
      drift = snapshot.conserved_energy - first;
      energy = snapshot.prediction.energies[0];
      const bool stop = stop_requested();
      if (stop || snapshot.state.step % a.every == 0 || snapshot.state.step == a.dynamics.steps)
        trajectory.append(frame_to_write(batch, snapshot.state, snapshot.prediction, a, settings));
      progress.update(static_cast<std::size_t>(snapshot.state.step), fmt::format("{:.0f} K", snapshot.temperature));
      return !stop;
    });
  }
  const bool finished = state.step >= a.dynamics.steps;
  result = {{"output", a.output}, {"step", state.step}, {"finished", finished}, {"temperature", temperature_of(batch, state)}};
  if (!std::isnan(energy)) {
    result["energy"] = energy;
    result["drift_per_atom"] = drift / static_cast<double>(batch.n_atoms());
  }
  if (finished) return k_done;
  log::info(fmt::format("stopped at step {}; go on with the same command and --resume", state.step));
  return k_stopped;
}

}  // namespace

void add_md(CLI::App& app) {
  const auto a = std::make_shared<Arguments>();
  CLI::App* command = add_command(
      app, "md", "Molecular dynamics of one structure",
      "tamiz md model.safetensors cell.xyz --ensemble langevin --temperature 300 --timestep 2 --steps 5000 -o run.xyz --resume",
      [a](const Common& common, nlohmann::json& result) { return run(*a, common, result); });
  add_model_argument(*command, a->model);
  command->add_option("file", a->file, "File with one structure")->required()->check(CLI::ExistingFile);
  command->add_option("--ensemble", a->ensemble, "nve or langevin")->check(CLI::IsMember({"nve", "langevin"}))->capture_default_str();
  command->add_option("--temperature", a->dynamics.temperature, "Of the first velocities and of the Langevin bath [K]")
      ->check(not_negative())->capture_default_str();
  command->add_option("--timestep", a->dynamics.timestep, "[fs]")->check(positive())->capture_default_str();
  command->add_option("--friction", a->dynamics.friction, "Of the Langevin bath [1/fs]")->check(positive())->capture_default_str();
  command->add_option("--steps", a->dynamics.steps, "Step to reach, counted from the start of the run")
      ->required()->check(not_negative());
  command->add_option("--every", a->every, "Steps between two frames")->check(positive())->capture_default_str();
  command->add_option("--seed", a->dynamics.seed, "Of velocities and bath")->capture_default_str();
  command->add_option("-o,--output", a->output, "Trajectory (.xyz), synced after each frame")->required();
  command->add_flag("--new-velocities", a->new_velocities, "Draw the first velocities also where the file has some [Å/fs]");
  command->add_flag("--resume", a->resume, "Go on behind the last frame of the output, where it exists");
  add_load_options(*command, a->load);
}

}  // namespace tamiz::cli
