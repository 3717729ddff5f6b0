#include "tamiz/potentials/torch/edges.hpp"

#include <Eigen/LU>
#include <cmath>
#include <string>

#include "tamiz/core/base/error.hpp"

namespace tamiz::torch_engine {

EdgeList edges_of(const Batch& batch, const State& state, const NeighborList& neighbors, std::size_t s, double cutoff,
                  const std::vector<int>& element_index) {
  EdgeList edges;
  const std::size_t begin = batch.offsets()[s], end = batch.offsets()[s + 1];
  for (const Element element : batch.species(s)) {
    const int place = element_index[static_cast<std::size_t>(element.number())];
    if (place < 0) throw SpeciesError("the model does not know " + std::string(element.symbol()));
    edges.elements.push_back(place);
  }
  edges.first.push_back(0);
  for (std::size_t i = begin; i < end; ++i) {
    for (std::size_t pair = neighbors.first()[i]; pair < neighbors.first()[i + 1]; ++pair) {
      const Vec3 vector = neighbors.vector(pair, batch, state);
      if (vector.squaredNorm() >= cutoff * cutoff) continue;
      edges.neighbors.push_back(neighbors.neighbors()[pair] - static_cast<std::int32_t>(begin));
      edges.vectors.insert(edges.vectors.end(), vector.data(), vector.data() + 3);
    }
    edges.first.push_back(static_cast<std::int64_t>(edges.neighbors.size()));
  }
  edges.volume = std::abs(state.cells[s].determinant());
  return edges;
}

}  // namespace tamiz::torch_engine
