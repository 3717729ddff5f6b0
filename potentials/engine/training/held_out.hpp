#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tamiz/core/structure/frame.hpp"

namespace tamiz {

/// What is drawn for a frame is drawn for all that it resembles: for its composition, where there are ten or more of them, since the steps of one relaxation or run
/// resemble each other; otherwise for its geometry. By content alone, whatever the order of the frames.
std::vector<std::uint64_t> draw_keys(std::span<const Frame> frames);

/// A frame of one atom with nothing inside the cutoff [Å], images included.
bool is_isolated_atom(const Structure& structure, double cutoff);

/// Which frames validate, about `fraction` of them, drawn by `seed` and their keys. Isolated atoms and the only frames of an element are never held out, nor is a key
/// that has more of the frames than that; where all have, the smallest is.
std::vector<bool> held_out(std::span<const Frame> frames, std::span<const std::uint64_t> keys, double fraction, std::uint64_t seed, double cutoff);

}  // namespace tamiz
