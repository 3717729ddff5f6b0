#pragma once

#include <optional>
#include <vector>

#include "tamiz/core/neighbors/neighbor_list.hpp"
#include "tamiz/core/structure/batch.hpp"
#include "tamiz/potentials/engine/radial/pair_repulsion.hpp"
#include "tamiz/potentials/torch/shard.hpp"

namespace tamiz::torch_engine {

/// Makes the edges of structures as one model reads them.
class EdgeBuilder {
 public:
  explicit EdgeBuilder(const ModelDescription& description);

  /// Edges of structure s inside the cutoff (pairs in the skin left out), with the pair repulsion along them.
  /// Throws SpeciesError for an element that the model does not know.
  EdgeList operator()(const Batch& batch, const State& state, const NeighborList& neighbors, std::size_t s) const;
  double cutoff() const { return cutoff_; }

 private:
  void add_repulsion(EdgeList& edges) const;

  double cutoff_;
  std::vector<int> element_index_;
  std::optional<PairRepulsion> repulsion_;
};

}  // namespace tamiz::torch_engine
