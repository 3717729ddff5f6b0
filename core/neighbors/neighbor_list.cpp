#include "tamiz/core/neighbors/neighbor_list.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/parallel.hpp"
#include "tamiz/core/neighbors/pair_search.hpp"

namespace tamiz {
namespace {

void check(const Batch& batch, const State& state, const NeighborRequest& request) {
  if (!(request.cutoff > 0.0) || !(request.skin >= 0.0))
    throw UnitError("a neighbour list needs a positive cutoff [Å] and a skin that is not negative");
  if (static_cast<std::size_t>(state.positions.rows()) != batch.n_atoms() || state.cells.size() != batch.n_structures())
    throw ShapeError("the state does not belong to the batch");
  if (!state.positions.allFinite()) throw NumericsError("a position is not finite");
}

}  // namespace

Vec3 NeighborList::vector(std::size_t pair, const Batch& batch, const State& state) const {
  const auto i = centers_[pair], j = neighbors_[pair];
  const Mat3& cell = state.cells[static_cast<std::size_t>(batch.owners()[static_cast<std::size_t>(i)])];
  const auto& shift = shifts_[pair];
  Vec3 result = state.positions.row(j) - state.positions.row(i);
  for (int k = 0; k < 3; ++k) result += shift[static_cast<std::size_t>(k)] * cell.row(k).transpose();
  return result;
}

bool NeighborList::still_valid(const Batch& batch, const State& state) const {
  if (request_.skin <= 0.0 || state.positions.rows() != built_positions_.rows() || !state.positions.allFinite()) return false;
  for (std::size_t s = 0; s < batch.n_structures(); ++s) {
    // Moved with the cell's deformation, a pair changes its length by at most the strain; on top of that
    // each of its two atoms moves by its own displacement.
    const Mat3& built = built_cells_[s];
    Mat3 deformation = Mat3::Identity();
    if (built.determinant() != 0.0) deformation = built.inverse() * state.cells[s];
    const double strain = (deformation - Mat3::Identity()).norm();
    double moved = 0.0;
    for (std::size_t a = batch.offsets()[s]; a < batch.offsets()[s + 1]; ++a) {
      const auto row = static_cast<Eigen::Index>(a);
      moved = std::max(moved, (state.positions.row(row) - built_positions_.row(row) * deformation).norm());
    }
    if (2.0 * moved + strain * (request_.cutoff + request_.skin) >= request_.skin) return false;
  }
  return true;
}

NeighborList build_neighbors(const Batch& batch, const State& state, NeighborRequest request, int threads) {
  check(batch, state, request);
  const double radius = request.cutoff + request.skin;
  std::vector<std::vector<detail::Pair>> pairs(batch.n_structures());
  parallel_for(batch.n_structures(), threads, [&](std::size_t s) {
    const auto begin = static_cast<Eigen::Index>(batch.offsets()[s]);
    const auto n = static_cast<Eigen::Index>(batch.n_atoms(s));
    pairs[s] = detail::find_pairs(state.positions.middleRows(begin, n), state.cells[s], batch.periodicity(s), radius);
  });

  NeighborList list;
  list.request_ = request;
  list.built_positions_ = state.positions;
  list.built_cells_ = state.cells;
  list.first_.assign(batch.n_atoms() + 1, 0);
  std::size_t total = 0;
  for (const auto& found : pairs) total += found.size();
  list.centers_.reserve(total);
  list.neighbors_.reserve(total);
  list.shifts_.reserve(total);
  for (std::size_t s = 0; s < pairs.size(); ++s) {
    const auto offset = static_cast<std::int32_t>(batch.offsets()[s]);
    for (const detail::Pair& pair : pairs[s]) {
      list.centers_.push_back(pair.i + offset);
      list.neighbors_.push_back(pair.j + offset);
      list.shifts_.push_back(pair.shift);
      ++list.first_[static_cast<std::size_t>(pair.i + offset) + 1];
    }
  }
  for (std::size_t a = 0; a < batch.n_atoms(); ++a) list.first_[a + 1] += list.first_[a];
  return list;
}

NeighborList build_neighbors_reference(const Batch& batch, const State& state, NeighborRequest request) {
  check(batch, state, request);
  const double radius = request.cutoff + request.skin;
  NeighborList list;
  list.request_ = request;
  list.built_positions_ = state.positions;
  list.built_cells_ = state.cells;
  list.first_.push_back(0);
  for (std::size_t a = 0; a < batch.n_atoms(); ++a) {
    const auto s = static_cast<std::size_t>(batch.owners()[a]);
    const Mat3& cell = state.cells[s];
    const auto reach = detail::image_reach(state.positions.middleRows(static_cast<Eigen::Index>(batch.offsets()[s]),
                                                                      static_cast<Eigen::Index>(batch.n_atoms(s))),
                                           cell, batch.periodicity(s), radius);
    for (std::size_t b = batch.offsets()[s]; b < batch.offsets()[s + 1]; ++b) {
      std::array<std::int32_t, 3> shift;
      for (shift[0] = -reach[0]; shift[0] <= reach[0]; ++shift[0])
        for (shift[1] = -reach[1]; shift[1] <= reach[1]; ++shift[1])
          for (shift[2] = -reach[2]; shift[2] <= reach[2]; ++shift[2]) {
            if (a == b && shift == std::array<std::int32_t, 3>{0, 0, 0}) continue;
            Vec3 d = state.positions.row(static_cast<Eigen::Index>(b)) - state.positions.row(static_cast<Eigen::Index>(a));
            for (int k = 0; k < 3; ++k) d += shift[static_cast<std::size_t>(k)] * cell.row(k).transpose();
            if (d.squaredNorm() > radius * radius) continue;
            list.centers_.push_back(static_cast<std::int32_t>(a));
            list.neighbors_.push_back(static_cast<std::int32_t>(b));
            list.shifts_.push_back(shift);
          }
    }
    list.first_.push_back(list.neighbors_.size());
  }
  return list;
}

}  // namespace tamiz
