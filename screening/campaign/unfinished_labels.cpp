#include "tamiz/screening/campaign/unfinished_labels.hpp"

#include <nlohmann/json.hpp>
#include <system_error>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/log.hpp"

namespace tamiz {

UnfinishedLabels::UnfinishedLabels(const std::filesystem::path& ledger) : folder_(ledger.string() + ".unfinished") {
  remove_unfinished_writes(folder_);
}

UnfinishedLabels::~UnfinishedLabels() {
  std::error_code not_empty;
  if (std::filesystem::symlink_status(folder_, not_empty).type() == std::filesystem::file_type::directory)
    std::filesystem::remove(folder_, not_empty);
}

std::filesystem::path UnfinishedLabels::file_of(const std::string& key) const { return folder_ / (key + ".json"); }

std::string UnfinishedLabels::state(const std::string& key) const {
  std::error_code ignored;
  if (!std::filesystem::exists(file_of(key), ignored)) return {};
  try {
    std::string text = read_file(file_of(key));
    if (nlohmann::json::parse(text, nullptr, false).is_object()) return text;
    log::warning(file_of(key).string() + " is damaged: the label begins anew");
  } catch (const FileError& error) {
    log::warning(std::string(error.what()) + ": the label begins anew");
  }
  return {};
}

void UnfinishedLabels::keep(const std::string& key, const std::string& state) {
  try {
    std::filesystem::create_directories(folder_);
    write_file_atomically(file_of(key), state);
  } catch (const std::exception& error) {  // of the file system or ours
    log::warning(std::string(error.what()) + ": a label that is cut off would begin anew");
  }
}

void UnfinishedLabels::drop(const std::string& key) {
  std::error_code ignored;
  std::filesystem::remove(file_of(key), ignored);
}

}  // namespace tamiz
