#pragma once

#include <vector>

#include "tamiz/core/neighbors/neighbor_list.hpp"
#include "tamiz/core/structure/batch.hpp"
#include "tamiz/potentials/torch/shard.hpp"

namespace tamiz::torch_engine {

/// Edges of structure s inside the cutoff (pairs in the skin left out). `element_index` by atomic number.
/// Throws SpeciesError for an element that it does not know.
EdgeList edges_of(const Batch& batch, const State& state, const NeighborList& neighbors, std::size_t s, double cutoff,
                  const std::vector<int>& element_index);

}  // namespace tamiz::torch_engine
