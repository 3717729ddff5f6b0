#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "tamiz/core/structure/batch.hpp"

namespace tamiz {

/// What a potential asks for.
struct NeighborRequest {
  double cutoff = 0.0;  ///< [Å], > 0
  double skin = 0.0;    ///< extra distance [Å] that lets a list serve several steps
};

/// Directed pairs (i, j, shift), sorted by (i, j, shift), with |r_j − r_i + shift·cell| ≤ cutoff + skin.
/// Every pair stands in both directions; an atom sees its own images, never itself.
class NeighborList {
 public:
  std::size_t n_pairs() const { return neighbors_.size(); }
  /// Pairs of atom i are [first()[i], first()[i + 1]); size n_atoms + 1.
  std::span<const std::size_t> first() const { return first_; }
  std::span<const std::int32_t> centers() const { return centers_; }
  std::span<const std::int32_t> neighbors() const { return neighbors_; }
  std::span<const std::array<std::int32_t, 3>> shifts() const { return shifts_; }
  const NeighborRequest& request() const { return request_; }

  /// r_j − r_i + shift·cell [Å]
  Vec3 vector(std::size_t pair, const Batch& batch, const State& state) const;

  /// True while no pair can have come inside the cutoff unseen: twice the largest displacement plus
  /// the largest strain over the cutoff stays below the skin.
  bool still_valid(const Batch& batch, const State& state) const;

 private:
  friend NeighborList build_neighbors(const Batch&, const State&, NeighborRequest, int);
  friend NeighborList build_neighbors_reference(const Batch&, const State&, NeighborRequest);

  NeighborRequest request_;
  std::vector<std::size_t> first_;
  std::vector<std::int32_t> centers_;
  std::vector<std::int32_t> neighbors_;
  std::vector<std::array<std::int32_t, 3>> shifts_;
  Coordinates built_positions_;
  std::vector<Mat3> built_cells_;
};

/// Cell lists; right for triclinic, left-handed, sub-cutoff and partly periodic cells.
/// Throws NumericsError for a periodic cell without volume or positions that are not finite,
/// UnitError for a cutoff that is not positive.
NeighborList build_neighbors(const Batch& batch, const State& state, NeighborRequest request, int threads = 1);

/// The same list by trying every pair and image: O(N²), for tests.
NeighborList build_neighbors_reference(const Batch& batch, const State& state, NeighborRequest request);

}  // namespace tamiz
