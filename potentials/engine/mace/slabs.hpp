#pragma once

#include <cstdint>
#include <vector>

#include "tamiz/core/structure/batch.hpp"

namespace tamiz::mace {

/// Cuts of a large structure at right angles to one direction: atoms nearer than the cutoff lie in one slab or in two that
/// follow each other, the last being followed by the first.
struct Slabs {
  std::size_t n = 0;              ///< 0: not cut
  std::vector<std::int32_t> of;   ///< slab of every atom
};

/// Along the direction that gives most slabs; none where that would be fewer than `least`.
Slabs cut_into_slabs(const Batch& batch, const State& state, std::size_t structure, double cutoff, std::size_t least);

}  // namespace tamiz::mace
