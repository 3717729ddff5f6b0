#pragma once

#include <string>

#include "tamiz/core/io/hdf5_calls.hpp"
#include "tamiz/core/structure/frame.hpp"

namespace tamiz::detail {

/// 32 hexadecimal digits over every part of a frame to the last bit.
std::string frame_hash(const Frame& frame);

/// Writes the members of a frame into an empty group. Throws hdf5::Failure; FormatError for a key, value or name of an
/// array that the format cannot hold.
void write_frame(hdf5::Id group, const Frame& frame);

/// Throws hdf5::Failure, and tamiz::Error for what makes no structure.
Frame read_frame(hdf5::Id group);

}  // namespace tamiz::detail
