#include "tamiz/potentials/torch/edges.hpp"

#include <Eigen/LU>
#include <cmath>
#include <string>

#include "tamiz/core/base/error.hpp"

namespace tamiz::torch_engine {

EdgeBuilder::EdgeBuilder(const ModelDescription& description)
    : cutoff_(description.cutoff), element_index_(element_index(description)), repulsion_(repulsion_of(description)) {}

EdgeList EdgeBuilder::operator()(const Batch& batch, const State& state, const NeighborList& neighbors,
                                 std::size_t s) const {
  EdgeList edges;
  const std::size_t begin = batch.offsets()[s], end = batch.offsets()[s + 1];
  for (const Element element : batch.species(s)) {
    const int place = element_index_[static_cast<std::size_t>(element.number())];
    if (place < 0) throw SpeciesError("the model does not know " + std::string(element.symbol()));
    edges.elements.push_back(place);
  }
  edges.first.push_back(0);
  for (std::size_t i = begin; i < end; ++i) {
    for (std::size_t pair = neighbors.first()[i]; pair < neighbors.first()[i + 1]; ++pair) {
      const Vec3 vector = neighbors.vector(pair, batch, state);
      if (vector.squaredNorm() >= cutoff_ * cutoff_) continue;
      edges.neighbors.push_back(neighbors.neighbors()[pair] - static_cast<std::int32_t>(begin));
      edges.vectors.insert(edges.vectors.end(), vector.data(), vector.data() + 3);
    }
    edges.first.push_back(static_cast<std::int64_t>(edges.neighbors.size()));
  }
  edges.volume = std::abs(state.cells[s].determinant());
  edges.repulsion.resize(edges.n_atoms());
  if (repulsion_) add_repulsion(edges);
  return edges;
}

void EdgeBuilder::add_repulsion(EdgeList& edges) const {
  for (std::size_t i = 0; i < edges.n_atoms(); ++i) {
    EdgeList::Repulsion& own = edges.repulsion[i];
    for (auto e = static_cast<std::size_t>(edges.first[i]); e < static_cast<std::size_t>(edges.first[i + 1]); ++e) {
      const Vec3 d(edges.vectors[3 * e], edges.vectors[3 * e + 1], edges.vectors[3 * e + 2]);
      const double r = d.norm();
      const auto j = static_cast<std::size_t>(edges.neighbors[e]);
      const Radial u = repulsion_->pair(static_cast<std::size_t>(edges.elements[i]),
                                        static_cast<std::size_t>(edges.elements[j]), r);
      // Every pair stands twice in the list: the full slope is this atom's force, half of it its virial.
      own.energy += 0.5 * u.value;
      own.force += (u.slope / r) * d;
      own.virial += (0.5 * u.slope / r) * d * d.transpose();
    }
  }
}

}  // namespace tamiz::torch_engine
