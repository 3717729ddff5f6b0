#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tamiz/core/neighbors/neighbor_list.hpp"
#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/core/structure/batch.hpp"
#include "tamiz/potentials/engine/baseline.hpp"

namespace tamiz {

/// Calls `use(j, r_j − r_i)` for every pair of atom i of the batch inside the cutoff [Å]; those in the skin of the list are left out.
/// Throws NumericsError for two atoms at one place.
template <typename Use>
void for_each_edge(const Batch& batch, const State& state, const NeighborList& neighbors, std::size_t i, double cutoff, const Use& use) {
  for (std::size_t pair = neighbors.first()[i]; pair < neighbors.first()[i + 1]; ++pair) {
    const Vec3 vector = neighbors.vector(pair, batch, state);
    const double square = vector.squaredNorm();
    if (square >= cutoff * cutoff) continue;
    check_distance(square, i);
    use(neighbors.neighbors()[pair], vector);
  }
}

/// Pairs of one structure inside the cutoff, sorted by centre; what does not change between steps of
/// training.
struct EdgeList {
  std::vector<std::int64_t> first;       ///< (n_atoms + 1)
  std::vector<std::int32_t> neighbors;   ///< (n_edges), atoms of this structure
  std::vector<double> vectors;           ///< (n_edges, 3) r_j − r_i + shift [Å]
  std::vector<std::int32_t> elements;    ///< (n_atoms) places in the description
  std::vector<AtomBaseline> baseline;    ///< (n_atoms); zero where the model has none
  double volume = 0.0;                   ///< [Å³]; 0 without a cell

  std::size_t n_atoms() const { return elements.size(); }
  int element(std::size_t atom) const { return elements[atom]; }
  /// Calls use(j, r_j − r_atom) for every edge of an atom.
  template <typename Use>
  void for_each(std::size_t atom, const Use& use) const {
    for (auto e = static_cast<std::size_t>(first[atom]); e < static_cast<std::size_t>(first[atom + 1]); ++e)
      use(static_cast<std::size_t>(neighbors[e]), Vec3(Vec3::Map(vectors.data() + 3 * e)));
  }
};

/// Makes the edges of structures as one model reads them.
class EdgeBuilder {
 public:
  explicit EdgeBuilder(const ModelDescription& description);

  /// Edges of structure s inside the cutoff (pairs in the skin left out), with the baseline of their atoms.
  /// Throws SpeciesError for an element that the model does not know, NumericsError for two atoms at one place.
  EdgeList operator()(const Batch& batch, const State& state, const NeighborList& neighbors, std::size_t s) const;
  /// The same of one structure by itself.
  EdgeList operator()(const Structure& structure) const;

 private:
  void add_baseline(EdgeList& edges) const;

  double cutoff_;
  std::vector<int> element_index_;
  Baseline baseline_;
};

/// Edges of structures that come back in every epoch. Not for use by several threads at once.
class EdgeCache {
 public:
  explicit EdgeCache(const ModelDescription& description);

  /// `key`: the content hash of the structure.
  std::shared_ptr<const EdgeList> edges(const Structure& structure, const std::string& key);
  /// Where memory turned out to be short: forgets all, and keeps nothing from then on.
  void give_back();

 private:
  EdgeBuilder build_;
  std::map<std::string, std::shared_ptr<const EdgeList>> lists_;
  std::size_t kept_ = 0, most_bytes_;  // pairs; for all of them
};

}  // namespace tamiz
