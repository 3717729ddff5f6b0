#pragma once

#include <string>
#include <string_view>

#include "tamiz/core/structure/symmetry.hpp"

namespace tamiz {

/// "x, -y+1/2, z-x" as a symmetry operation. Throws FormatError that begins with `where`.
SymmetryOperation parse_operation(std::string_view text, const std::string& where);

/// Hall setting with this Hall or Hermann–Mauguin name, blanks and underscores ignored; 0 when there is none. A choice of
/// origin or axes may follow, ":2" or " Z"; without it the name is that of the first setting.
int hall_number_by_name(std::string_view name);

/// The Hall setting of a space group that has a single one; 0 for the others.
int only_hall_number_of(int group);

}  // namespace tamiz
