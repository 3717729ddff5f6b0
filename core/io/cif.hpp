#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tamiz/core/structure/frame.hpp"

namespace tamiz {

/// Every data block with atoms: loops, quoted and multi-line text, uncertainties "5.43(2)", symmetry operations
/// as text, or by Hall name, Hermann–Mauguin name or number where no operations are listed. Symmetry images
/// closer than 0.01 Å are one atom. Throws FormatError with name:line; a partly occupied site is refused.
std::vector<Frame> parse_cif(std::string_view text, const std::string& name);

/// One data block per frame, all atoms listed in P1.
std::string format_cif(std::span<const Frame> frames);

}  // namespace tamiz
