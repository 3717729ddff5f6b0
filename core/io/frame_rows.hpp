#pragma once

#include "tamiz/core/structure/frame.hpp"

namespace tamiz {

/// Throws ShapeError where the forces or an array of the frame have not one row for each of its atoms.
void require_rows(const Frame& frame);

}  // namespace tamiz
