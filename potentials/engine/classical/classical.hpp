#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "tamiz/core/simulation/potential.hpp"

namespace tamiz {

/// A classical potential from a TOML file whose `kind` is "lennard-jones", "stillinger-weber" or "zbl"; the
/// keys of each are in README.md of this folder. Throws FileError; FormatError (with file:line) for a missing,
/// unknown or impossible key; SpeciesError for an unknown element.
std::unique_ptr<Potential> make_classical_potential(const std::filesystem::path& file);

/// The same from TOML text; `name` stands for the file in messages.
std::unique_ptr<Potential> parse_classical_potential(std::string_view text, const std::string& name = "text");

}  // namespace tamiz
