#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "tamiz/screening/oracle/oracle.hpp"

namespace tamiz {

struct StoredLabel {
  LabelResult result;
  std::optional<LabelTask> task;  ///< ledgers did not always say it
};

/// Every "label" record of a ledger, or of all ledgers (*.tz) in a folder by name, in the order in which they
/// were written. Throws FileError (no such file, no ledger in the folder), FormatError (damaged, with the line).
std::vector<StoredLabel> read_stored_labels(const std::filesystem::path& ledger_or_folder);

}  // namespace tamiz
