#include "tamiz/core/io/splits.hpp"

#include <algorithm>
#include <iterator>

namespace tamiz {

bool names_splits(std::span<const Frame> frames) {
  return std::any_of(frames.begin(), frames.end(), [](const Frame& frame) { return frame.info.contains("split"); });
}

bool is_of_split(const Frame& frame, const std::string& split) {
  const auto found = frame.info.find("split");
  return found != frame.info.end() && found->second == split;
}

std::vector<Frame> of_split(std::span<const Frame> frames, const std::string& split) {
  std::vector<Frame> members;
  for (const Frame& frame : frames)
    if (is_of_split(frame, split)) members.push_back(frame);
  return members;
}

std::vector<Frame> of_split_or_none(std::span<const Frame> frames, const std::string& split) {
  std::vector<Frame> members;
  std::copy_if(frames.begin(), frames.end(), std::back_inserter(members), [&](const Frame& frame) {
    return !frame.info.contains("split") || is_of_split(frame, split);
  });
  return members;
}

}  // namespace tamiz
