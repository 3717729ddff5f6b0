#pragma once

#include <filesystem>
#include <memory>

#include "tamiz/screening/oracle/oracle.hpp"

namespace tamiz {

/// Answers from stored results (a ledger or several): the same labels, failures and costs again, by key.
/// A key that was calculated several times is answered by its first finished label, else by its first failure.
/// A request that is not stored fails with the reason "not in the replay set". Throws FileError, FormatError.
std::unique_ptr<Oracle> make_replay_oracle(const std::filesystem::path& ledger_or_folder);

/// The same by names instead of keys, whatever the geometry and the settings: a request that brings `info["name"]`, as those for
/// candidates from a file do, is answered by the stored label of that id and the same task. So a campaign whose model relaxes
/// candidates in its own way can be played against a world that was labelled before.
std::unique_ptr<Oracle> make_named_replay_oracle(const std::filesystem::path& ledger_or_folder);

}  // namespace tamiz
