#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "tamiz/core/structure/frame.hpp"

namespace tamiz {

/// Labels that the starting model of a campaign was trained on, and those that it was tested on.
struct FirstLabels {
  std::vector<Frame> training, test;
};

/// Of data sets: recipes (.toml) and files of frames that name their splits; or of a folder with `train.xyz` and `test.xyz`.
/// Throws FileError, FormatError (nothing to train on or to test on).
FirstLabels read_first_labels(std::span<const std::filesystem::path> sources);

/// Of all that they follow from.
std::string hash_of_first_labels(std::span<const std::filesystem::path> sources);

}  // namespace tamiz
