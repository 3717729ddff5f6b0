#pragma once

#include <string_view>
#include <vector>

#include "tamiz/core/structure/element.hpp"

namespace tamiz {

/// "Ca-Mg-N" → its elements in the order written. Throws SpeciesError (unknown element, with the nearest
/// one), FormatError (empty, or an element twice).
std::vector<Element> elements_of_system(std::string_view system);

}  // namespace tamiz
