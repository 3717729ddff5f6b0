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

std::vector<LabelResult> read_stored_labels(const std::filesystem::path& ledger_or_folder) {
  std::vector<LabelResult> labels;
  for (const auto& path : ledgers_of(ledger_or_folder)) {
    std::size_t line = 0;
    for (const nlohmann::json& record : Ledger::read(path)) {
      ++line;
      if (record.at("kind") != "label") continue;
      try {
        labels.push_back(label_result_from_json(record));
      } catch (const Error& error) {
        throw FormatError(path.string() + ":" + std::to_string(line) + ": " + error.what());
      }
    }
  }
  return labels;
}

}  // namespace tamiz
