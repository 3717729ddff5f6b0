#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string>

namespace tamiz {

/// The campaign's report: one self-contained HTML page that needs no network.
///
/// `summary` is the object described in `screening/report/README.md` (energies in eV/atom, lengths in Å,
/// cost in core-seconds); a member that is absent is shown as not known. Text that is not UTF-8 is shown
/// with replacement characters. Equal summaries give equal bytes.
/// Throws FormatError when `summary` is not an object or a list in it is not a list of objects.
std::string render_report(const nlohmann::json& summary);

/// Writes the report and the files a script reads into `run_folder` (created when absent):
/// `report.html`, `report.json` (the summary), `ranking.csv`, `ranking.json`, and for every ranked
/// candidate `structures/<id>_<formula>.cif` and `.py` (its CIF and its GPAW input) as far as the summary
/// has them. Every file is replaced atomically; `report.html` comes last, so that it never points at
/// files that are not there yet.
/// Throws FormatError as render_report does, FileError when a file cannot be written.
void write_report(const nlohmann::json& summary, const std::filesystem::path& run_folder);

}  // namespace tamiz
