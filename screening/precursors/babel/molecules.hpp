// Part of tamiz-babel, a program of its own: it links Open Babel and is therefore distributed under GPL-2.0.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

namespace tamiz_babel {

/// Formats that Open Babel reads and writes, by their short names.
nlohmann::json formats();

/// Every molecule of `text`: symbols, positions [Å], charge, title, and the cell where there is one. Where a format has
/// no coordinates (SMILES), hydrogens are added and coordinates are built and relaxed with MMFF94, or UFF.
/// Throws std::runtime_error.
nlohmann::json read(const std::string& text, const std::string& format);

/// The text of molecules in a format; bonds are perceived from distances. Throws std::runtime_error.
std::string write(const nlohmann::json& molecules, const std::string& format);

}  // namespace tamiz_babel
