#pragma once

#include <CLI/CLI.hpp>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tamiz/potentials/engine/load.hpp"

namespace tamiz::cli {

/// Exit codes of the program.
inline constexpr int k_done = 0;
inline constexpr int k_failed = 1;
inline constexpr int k_wrong_use = 2;
inline constexpr int k_stopped = 3;

/// Options that every command has.
struct Common {
  std::string json;  ///< file for the result, "-" for standard output
  bool quiet = false;
  int threads = 0;   ///< 0: what the machine grants

  /// Whether standard output is for people.
  bool speaks() const { return !quiet && json != "-"; }
  /// Where tables for people go: standard output, unless JSON has it.
  std::FILE* tables() const { return json == "-" ? stderr : stdout; }
};

/// Those that were asked for, or what the machine grants.
int threads_of(const Common& common);

/// A subcommand: `body` returns an exit code and fills `result`, which `--json` writes.
using Body = std::function<int(const Common&, nlohmann::json& result)>;
CLI::App* add_command(CLI::App& app, const std::string& name, const std::string& summary, const std::string& example,
                      Body body);

/// The positional `model` and the options `--dtype`, `--device`, `--engine` and `--memory` of every command that evaluates a potential.
void add_model_argument(CLI::App& command, std::string& model);
void add_load_options(CLI::App& command, LoadOptions& options);

/// `--card key=value`, as often as needed, and what it says. Texts are UTF-8.
void add_card(CLI::App& command, std::vector<std::string>& card);
std::map<std::string, std::string> card_entries(const std::vector<std::string>& card);

/// Numbers of an option; CLI11's own validators say their range with 300 digits.
CLI::Validator positive();
CLI::Validator not_negative();

/// Refuses an output that could not be written, before the work is done. Throws FileError, and CapabilityError where
/// structures are to be written and no format is known by its name.
void check_output(const std::filesystem::path& path, bool is_structures = true);

/// From here on SIGTERM, SIGINT and SIGUSR1 only say that the work should stop: for commands that look at `stop_requested`, leave what
/// can be gone on with and return k_stopped. All others end at the first of these signals, as programs do.
void install_stop_signals();
bool stop_requested();

// One function per file cmd_<name>.cpp.
void add_convert(CLI::App& app);
void add_import(CLI::App& app);
void add_info(CLI::App& app);
void add_relax(CLI::App& app);
void add_md(CLI::App& app);
void add_phonon(CLI::App& app);
void add_train(CLI::App& app);
void add_evaluate(CLI::App& app);
void add_train_gaps(CLI::App& app);
void add_gaps(CLI::App& app);
void add_propose(CLI::App& app);
void add_label(CLI::App& app);
void add_select(CLI::App& app);
void add_dataset(CLI::App& app);
void add_discover(CLI::App& app);
void add_report(CLI::App& app);
void add_doctor(CLI::App& app);

}  // namespace tamiz::cli
