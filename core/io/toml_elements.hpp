#pragma once

#include <map>

#include "tamiz/core/io/toml.hpp"
#include "tamiz/core/structure/element.hpp"

namespace tamiz {

/// A table with a number for each of some elements, { Mg = -1.5, N = -8.0 }. Throws FormatError that names the key.
std::map<Element, double> numbers_by_element(const TomlTable& table);

}  // namespace tamiz
