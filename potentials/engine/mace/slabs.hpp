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

/// Slabs whose atoms are held at a time.
inline constexpr std::size_t k_slabs_at_once = 5;

/// Along the direction whose fullest slab has the fewest atoms, which vacuum does not help; none where there would be fewer slabs than
/// `least`, or as many atoms in those that are held at a time as there are.
Slabs cut_into_slabs(const Batch& batch, const State& state, std::size_t structure, double cutoff, std::size_t least);

}  // namespace tamiz::mace
