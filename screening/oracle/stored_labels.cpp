#include "tamiz/screening/oracle/stored_labels.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "tamiz/core/base/error.hpp"
#include "tamiz/screening/campaign/ledger.hpp"
#include "tamiz/screening/oracle/label_json.hpp"

namespace tamiz {
namespace {

std::vector<std::filesystem::path> ledgers_of(const std::filesystem::path& path) {
  if (!std::filesystem::is_directory(path)) return {path};
  std::vector<std::filesystem::path> ledgers;
  for (const auto& entry : std::filesystem::directory_iterator(path))
    if (entry.is_regular_file() && entry.path().extension() == ".tz") ledgers.push_back(entry.path());
  if (ledgers.empty()) throw FileError(path.string() + ": no ledger (*.tz) in this folder");
  std::ranges::sort(ledgers);
  return ledgers;
}

}  // namespace

std::vector<StoredLabel> read_stored_labels(const std::filesystem::path& ledger_or_folder) {
  std::vector<StoredLabel> labels;
  for (const auto& path : ledgers_of(ledger_or_folder)) {
    std::size_t line = 0;
    for (const nlohmann::json& record : Ledger::read(path)) {
      ++line;
      if (record.at("kind") != "label") continue;
      try {
        StoredLabel& label = labels.emplace_back(label_result_from_json(record));
        if (record.contains("task")) label.task = label_task_from(record.at("task").get<std::string>());
      } catch (const Error& error) {
        throw FormatError(path.string() + ":" + std::to_string(line) + ": " + error.what());
      } catch (const nlohmann::json::exception& error) {
        throw FormatError(path.string() + ":" + std::to_string(line) + ": " + error.what());
      }
    }
  }
  return labels;
}

}  // namespace tamiz
