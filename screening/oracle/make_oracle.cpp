#include "tamiz/screening/oracle/make_oracle.hpp"

#include <nlohmann/json.hpp>
#include <vector>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/parallel.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/screening/oracle/label_json.hpp"
#include "tamiz/screening/oracle/replay_oracle.hpp"
#include "tamiz/screening/oracle/worker_oracle.hpp"

namespace tamiz {

std::unique_ptr<Oracle> make_oracle(const std::string& description, int workers, const std::filesystem::path& scratch) {
  const int n_workers = workers > 0 ? workers : available_threads();
  if (description == "gpaw") return make_gpaw_oracle(n_workers, scratch);
  if (description.starts_with("ase:")) return make_ase_oracle(description.substr(4), n_workers, scratch);
  if (description.starts_with("replay:")) return make_replay_oracle(description.substr(7));
  if (description.starts_with("replay-names:")) return make_named_replay_oracle(description.substr(13));
  std::vector<std::string> command;
  for (const std::string_view word : split_whitespace(description)) command.emplace_back(word);
  if (command.empty())
    throw OracleError("no oracle given, expected gpaw, ase:module:callable, replay:LEDGER, replay-names:LEDGER (a ledger, or a folder of them) or a command");
  return make_command_oracle(command, n_workers, scratch);
}

void require_version(const Oracle& oracle, const std::string& settings) {
  if (oracle.name() != "gpaw") return;
  const nlohmann::json level = settings_from_text(settings);
  const std::string wanted = level.value("version", oracle.version());
  if (wanted != oracle.version())
    throw OracleError("level " + level.value("name", "") + " is of GPAW " + wanted + ", and this is " + oracle.version() +
                      ", whose energies may be others: set TAMIZ_PYTHON to a Python that has the former, or take another level");
}

std::string level_name(const std::string& level) {
  const std::filesystem::path path = level;
  return path.extension() == ".json" ? path.stem().string() : level;
}

std::string read_level(const std::string& name) {
  std::filesystem::path path = name;
  const auto folder = data_directory() / "levels";
  if (path.extension() != ".json") path = folder / (name + ".json");
  if (!std::filesystem::exists(path)) {
    std::vector<std::string> known;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) known.push_back(entry.path().stem().string());
    const std::string nearest = nearest_name(name, known);
    throw FileError("unknown level " + name + (nearest.empty() ? "" : ", did you mean " + nearest + "?") +
                    ": levels are the files of " + folder.string());
  }
  try {
    const nlohmann::json level = nlohmann::json::parse(read_file(path));
    if (!level.is_object()) throw FormatError(path.string() + ": expected a JSON object with the settings of a level");
    return level.dump();
  } catch (const nlohmann::json::exception& error) {
    throw FormatError(path.string() + ": " + error.what());
  }
}

}  // namespace tamiz
