#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tamiz/core/structure/frame.hpp"

namespace tamiz {

/// Every data block with atoms: loops, quoted and multi-line text, uncertainties "5.43(2)", symmetry operations
/// as text, or by Hall name, Hermann–Mauguin name or number where no operations are listed: of several settings with this
/// name the first that fits the cell and puts no two atoms on each other. Symmetry images closer than 0.2 Å are one atom, on the
/// special position near it. Throws FormatError with name:line; a partly occupied site is refused, as are operations that the cell does not have.
std::vector<Frame> parse_cif(std::string_view text, const std::string& name);

/// One data block per frame, all atoms listed in P1.
std::string format_cif(std::span<const Frame> frames);

}  // namespace tamiz
