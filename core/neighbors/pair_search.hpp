#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "tamiz/core/base/math.hpp"
#include "tamiz/core/structure/structure.hpp"

namespace tamiz::detail {

struct Pair {
  std::int32_t i, j;
  std::array<std::int32_t, 3> shift;
};

using PositionBlock = Eigen::Ref<const Coordinates, 0, Eigen::OuterStride<>>;

/// Largest image number each way that can hold a neighbour within `radius`, for positions anywhere (they
/// need not lie in the cell). Zero along directions that are not periodic. Throws NumericsError for a
/// periodic cell without volume.
std::array<std::int32_t, 3> image_reach(const PositionBlock& positions, const Mat3& cell, const Periodicity& periodicity,
                                        double radius);

/// Directed pairs of one structure within `radius`, sorted by (i, j, shift).
std::vector<Pair> find_pairs(const PositionBlock& positions, const Mat3& cell, const Periodicity& periodicity,
                             double radius);

}  // namespace tamiz::detail
