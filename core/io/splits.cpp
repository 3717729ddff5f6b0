#include "tamiz/core/io/splits.hpp"

#include <algorithm>
#include <iterator>

namespace tamiz {

bool names_splits(std::span<const Frame> frames) {
  return std::any_of(frames.begin(), frames.end(), [](const Frame& frame) { return frame.info.contains("split"); });
}

std::vector<Frame> of_split(std::span<const Frame> frames, const std::string& split) {
  std::vector<Frame> members;
  for (const Frame& frame : frames)
    if (const auto found = frame.info.find("split"); found != frame.info.end() && found->second == split) members.push_back(frame);
  return members;
}

std::vector<Frame> to_train_on(std::span<const Frame> frames) {
  std::vector<Frame> members;
  std::copy_if(frames.begin(), frames.end(), std::back_inserter(members), [](const Frame& frame) {
    const auto split = frame.info.find("split");
    return split == frame.info.end() || split->second == "train";
  });
  return members;
}

}  // namespace tamiz
