#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "tamiz/screening/oracle/oracle.hpp"

namespace tamiz {

/// An oracle by what a user writes: "gpaw", "ase:module:callable", "replay:LEDGER", "replay-names:LEDGER" (a ledger, or a folder
/// of them), or a command with its arguments separated by spaces (executed directly, never by a shell). `workers` 0: one per core granted.
/// Throws OracleError.
std::unique_ptr<Oracle> make_oracle(const std::string& description, int workers, const std::filesystem::path& scratch);

/// Throws OracleError where `settings` (JSON) are of another version of GPAW than answers: its PAW sets and energies may be others.
void require_version(const Oracle& oracle, const std::string& settings);

/// Settings of a level, datasets/levels/<name>.json, as canonical JSON text. A path to a file works too.
/// Throws FileError naming the known levels.
std::string read_level(const std::string& name);

/// What records call a level: its name, also where it is given by a path to its file.
std::string level_name(const std::string& level);

}  // namespace tamiz
