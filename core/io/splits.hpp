#pragma once

#include <span>
#include <string>
#include <vector>

#include "tamiz/core/structure/frame.hpp"

namespace tamiz {

/// Frames of a data set say in `info` under "split" what they are for: "train", "validation" or "test".

/// Whether any frame says so.
bool names_splits(std::span<const Frame> frames);
bool is_of_split(const Frame& frame, const std::string& split);
/// The frames of one split.
std::vector<Frame> of_split(std::span<const Frame> frames, const std::string& split);
/// Those of one split, and those that name none.
std::vector<Frame> of_split_or_none(std::span<const Frame> frames, const std::string& split);

}  // namespace tamiz
