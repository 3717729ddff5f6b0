#pragma once

#include <filesystem>
#include <vector>

#include "tamiz/screening/oracle/oracle.hpp"

namespace tamiz {

/// Every "label" record of a ledger, or of all ledgers (*.tz) in a folder by name, in the order in which they
/// were written. Throws FileError (no such file, no ledger in the folder), FormatError (damaged, with the line).
std::vector<LabelResult> read_stored_labels(const std::filesystem::path& ledger_or_folder);

}  // namespace tamiz
