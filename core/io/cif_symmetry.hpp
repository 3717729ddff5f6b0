#pragma once

#include <string>
#include <string_view>

#include "tamiz/core/structure/symmetry.hpp"

namespace tamiz {

/// "x, -y+1/2, z-x" as a symmetry operation. Throws FormatError that begins with `where`.
SymmetryOperation parse_operation(std::string_view text, const std::string& where);

/// Hall setting with this Hall or Hermann–Mauguin name, blanks and underscores ignored; 0 when there is none.
int hall_number_by_name(std::string_view name);

}  // namespace tamiz
