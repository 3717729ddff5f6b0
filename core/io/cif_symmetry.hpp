#pragma once

#include <string>
#include <string_view>

#include "tamiz/core/structure/symmetry.hpp"

namespace tamiz {

/// "x, -y+1/2, z-x" as a symmetry operation. Throws FormatError that begins with `where`.
SymmetryOperation parse_operation(std::string_view text, const std::string& where);

/// Hall setting with this Hermann–Mauguin name, blanks and underscores ignored; 0 when there is none. A choice of
/// origin or axes may follow, ":2" or " Z"; without it the name is that of the first setting.
int hall_number_by_name(std::string_view name);

/// Hall setting with this Hall symbol, 0 when there is none. Blanks count ("P 4 2" is P422, and "P 42" no symbol), unless there is one
/// symbol only that is the same without them.
int hall_number_by_symbol(std::string_view symbol);

/// The Hall setting of a space group that has a single one; 0 for the others.
int only_hall_number_of(int group);

}  // namespace tamiz
