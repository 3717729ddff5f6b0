#pragma once

#include <filesystem>
#include <memory>

#include "tamiz/screening/oracle/oracle.hpp"

namespace tamiz {

/// Answers from stored results (a ledger or several): the same labels, failures and costs again, by key.
/// A key that was calculated several times is answered by its first finished label, else by its first failure.
/// A request that is not stored fails with the reason "not in the replay set". Throws FileError, FormatError.
std::unique_ptr<Oracle> make_replay_oracle(const std::filesystem::path& ledger_or_folder);

}  // namespace tamiz
