#include "tamiz/potentials/engine/edge_list.hpp"

#include <Eigen/LU>
#include <cmath>
#include <span>
#include <string>

#include "tamiz/core/base/error.hpp"

namespace tamiz {
namespace {

/// Pairs kept between steps, 32 bytes each.
constexpr std::size_t k_kept_edges = 64u << 20;

}  // namespace

void EdgeList::Repulsion::add(const PairRepulsion& repulsion, int element, int other, const Vec3& d) {
  const double r = d.norm();
  const Radial u = repulsion.pair(static_cast<std::size_t>(element), static_cast<std::size_t>(other), r);
  // Every pair stands twice in the list: the full slope is this atom's force, half of it its virial.
  energy += 0.5 * u.value;
  force += (u.slope / r) * d;
  virial += (0.5 * u.slope / r) * d * d.transpose();
}

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
    for_each_edge(batch, state, neighbors, i, cutoff_, [&](std::int32_t j, const Vec3& vector) {
      edges.neighbors.push_back(j - static_cast<std::int32_t>(begin));
      edges.vectors.insert(edges.vectors.end(), vector.data(), vector.data() + 3);
    });
    edges.first.push_back(static_cast<std::int64_t>(edges.neighbors.size()));
  }
  edges.volume = std::abs(state.cells[s].determinant());
  edges.repulsion.resize(edges.n_atoms());
  if (repulsion_) add_repulsion(edges);
  return edges;
}

void EdgeBuilder::add_repulsion(EdgeList& edges) const {
  for (std::size_t i = 0; i < edges.n_atoms(); ++i)
    for (auto e = static_cast<std::size_t>(edges.first[i]); e < static_cast<std::size_t>(edges.first[i + 1]); ++e)
      edges.repulsion[i].add(*repulsion_, edges.elements[i],
                             edges.elements[static_cast<std::size_t>(edges.neighbors[e])],
                             Vec3::Map(edges.vectors.data() + 3 * e));
}

std::shared_ptr<const EdgeList> EdgeCache::edges(const Structure& structure, const std::string& key) {
  if (const auto found = lists_.find(key); found != lists_.end()) return found->second;
  const std::span<const Structure> one(&structure, 1);
  const Batch batch(one);
  const State state = State::of(one);
  auto list =
      std::make_shared<const EdgeList>(build_(batch, state, build_neighbors(batch, state, {build_.cutoff(), 0.0}), 0));
  if (kept_ + list->neighbors.size() <= k_kept_edges) {
    kept_ += list->neighbors.size();
    lists_[key] = list;
  }
  return list;
}

}  // namespace tamiz
