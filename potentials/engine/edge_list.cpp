#include "tamiz/potentials/engine/edge_list.hpp"

#include <Eigen/LU>
#include <cmath>
#include <span>
#include <string>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/memory.hpp"

namespace tamiz {
namespace {

constexpr std::size_t k_edge_bytes = 3 * sizeof(double) + sizeof(std::int32_t);
constexpr std::size_t k_share_of_memory = 8;  // that edges kept between steps may take, one of so many parts

}  // namespace

EdgeBuilder::EdgeBuilder(const ModelDescription& description)
    : cutoff_(description.cutoff), element_index_(element_index(description)), baseline_(description) {}

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
  edges.neighbors.shrink_to_fit();
  edges.vectors.shrink_to_fit();
  edges.volume = std::abs(state.cells[s].determinant());
  add_baseline(edges);
  return edges;
}

EdgeList EdgeBuilder::operator()(const Structure& structure) const {
  const std::span<const Structure> one(&structure, 1);
  const Batch batch(one);
  const State state = State::of(one);
  return (*this)(batch, state, build_neighbors(batch, state, {cutoff_, 0.0}), 0);
}

void EdgeBuilder::add_baseline(EdgeList& edges) const {
  edges.baseline.resize(edges.n_atoms());
  if (baseline_.empty()) return;
  std::vector<double> slopes;
  for (std::size_t i = 0; i < edges.n_atoms(); ++i) slopes.push_back(baseline_.begin(edges, i, edges.baseline[i]));
  for (std::size_t i = 0; i < edges.n_atoms(); ++i) baseline_.finish(edges, i, slopes, edges.baseline[i]);
}

std::shared_ptr<const EdgeList> EdgeCache::edges(const Structure& structure, const std::string& key) {
  if (const auto found = lists_.find(key); found != lists_.end()) return found->second;
  auto list = std::make_shared<const EdgeList>(build_(structure));
  if ((kept_ + list->neighbors.size()) * k_edge_bytes < most_bytes_) {
    kept_ += list->neighbors.size();
    lists_[key] = list;
  }
  return list;
}

EdgeCache::EdgeCache(const ModelDescription& description) : build_(description), most_bytes_(available_memory() / k_share_of_memory) {}

void EdgeCache::give_back() {
  lists_.clear();
  kept_ = most_bytes_ = 0;
}

}  // namespace tamiz
