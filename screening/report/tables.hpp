#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

namespace tamiz::report {

/// Ranked candidates of a summary, by rank, then by id; pointers into `summary`.
std::vector<const nlohmann::json*> ranked_candidates(const nlohmann::json& summary);

/// `<id>_<formula>` with only letters, digits, `-` and `_`: safe as a file name on every system.
std::string file_stem(const nlohmann::json& candidate);

/// RFC 4180 table with a header line, one line per ranked candidate; empty where not known.
/// Energies in eV/atom, volumes in Å³/atom, forces in eV/Å, stress in GPa, gaps in eV.
std::string ranking_csv(const nlohmann::json& summary);

/// The ranked candidates without the texts of their files, with the names of those files and the units.
nlohmann::json ranking_json(const nlohmann::json& summary);

}  // namespace tamiz::report
