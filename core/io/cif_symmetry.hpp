#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tamiz/core/structure/symmetry.hpp"

namespace tamiz {

/// "x, -y+1/2, z-x" as a symmetry operation. Throws FormatError that begins with `where`.
SymmetryOperation parse_operation(std::string_view text, const std::string& where);

/// Hall settings with this Hermann–Mauguin name, blanks and underscores ignored, in the order of the tables. A choice of
/// origin or axes may follow, ":2" or " Z".
std::vector<int> hall_numbers_by_name(std::string_view name);

/// Hall setting with this Hall symbol, 0 when there is none. Blanks count ("P 4 2" is P422, and "P 42" no symbol), unless there is one
/// symbol only that is the same without them.
int hall_number_by_symbol(std::string_view symbol);

/// All Hall settings of a space group, from 1 to 230, in the order of the tables.
std::vector<int> hall_numbers_of(int group);

/// Whether all operations keep the lengths and angles of the cell, whose rows are its vectors, within 1 %.
bool fits_cell(std::span<const SymmetryOperation> operations, const Mat3& cell);

}  // namespace tamiz
