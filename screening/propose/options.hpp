#pragma once

#include <filesystem>

#include "tamiz/screening/propose/propose.hpp"

namespace tamiz {

class TomlTable;

/// Reads `systems` and `seed` of [campaign] and all of [propose]; a seed in [propose] wins. Other sections
/// are left to their readers.
///
///     [campaign]
///     name = "nitrides"
///     systems = ["Ca-Mg-N", "Mg-Si-N"]
///     [propose]
///     max_atoms = 8
///     files = ["mine.xyz"]    # relative to the file of the campaign
///
/// Throws FormatError (syntax, unknown key or prototype, wrong type, value out of range), SpeciesError
/// (unknown element); both name file, line and key and suggest the nearest name. FileError.
ProposeOptions propose_options_from_toml(const std::filesystem::path& path);
/// The same of a file that is parsed already, but for the names of prototypes, which only the data folder knows.
ProposeOptions propose_options_of(const TomlTable& root);

/// Throws what `propose` would throw for these options, before any work is done.
void check_options(const ProposeOptions& options);

}  // namespace tamiz
