#include "tamiz/core/neighbors/neighbor_list.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <optional>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/parallel.hpp"
#include "tamiz/core/neighbors/pair_search.hpp"

namespace tamiz {
namespace {

using Shift = std::array<std::int32_t, 3>;

/// Centres that one task searches: small enough to share a large structure among threads.
constexpr std::size_t k_centers_per_task = 512;

struct Task {
  std::size_t structure, begin, end;  // centres [begin, end) of the structure
};

void check(const Batch& batch, const State& state, const NeighborRequest& request) {
  if (!(request.cutoff > 0.0) || !(request.skin >= 0.0))
    throw UnitError("a neighbour list needs a positive cutoff [Å] and a skin that is not negative");
  if (static_cast<std::size_t>(state.positions.rows()) != batch.n_atoms() || state.cells.size() != batch.n_structures())
    throw ShapeError("the state does not belong to the batch");
  if (!state.positions.allFinite()) throw NumericsError("a position is not finite");
  for (const Mat3& cell : state.cells)
    if (!cell.allFinite()) throw NumericsError("a lattice vector is not finite");
}

detail::PositionBlock positions_of(const Batch& batch, const State& state, std::size_t s) {
  return {state.positions.data() + 3 * batch.offsets()[s], static_cast<Eigen::Index>(batch.n_atoms(s)), 3};
}

std::vector<Task> tasks_of(const Batch& batch) {
  std::vector<Task> tasks;
  for (std::size_t s = 0; s < batch.n_structures(); ++s)
    for (std::size_t begin = 0; begin < batch.n_atoms(s); begin += k_centers_per_task)
      tasks.push_back({s, begin, std::min(begin + k_centers_per_task, batch.n_atoms(s))});
  return tasks;
}

/// How cell vectors, and what moves with them, changed since `built`: now = built · deformation.
Mat3 deformation_between(const Mat3& built, const Mat3& now, const Periodicity& periodicity) {
  return detail::completed_cell(built, periodicity).inverse() * detail::completed_cell(now, periodicity);
}

/// Largest image number each way that can hold a neighbour, one more than needed, whatever the positions.
Shift image_reach(const detail::PositionBlock& positions, const Mat3& cell, const Periodicity& periodicity, double radius) {
  const Mat3 inverse = detail::completed_cell(cell, periodicity).inverse();
  const Coordinates fractional = positions * inverse;
  Shift reach{0, 0, 0};
  for (int k = 0; k < 3; ++k) {
    if (!periodicity[static_cast<std::size_t>(k)] || positions.rows() == 0) continue;
    const double spread = fractional.col(k).maxCoeff() - fractional.col(k).minCoeff();
    const double height = 1.0 / inverse.col(k).norm();
    reach[static_cast<std::size_t>(k)] = static_cast<std::int32_t>(std::floor(radius / height + spread)) + 1;
  }
  return reach;
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
  if (request_.skin <= 0.0 || state.positions.rows() != built_positions_.rows() || !state.positions.allFinite())
    return false;
  for (std::size_t s = 0; s < batch.n_structures(); ++s) {
    // A pair that was longer than cutoff + skin is now at least (1 − strain)(cutoff + skin) − 2·moved long, where
    // `moved` is the displacement on top of the cell's deformation.
    const Mat3 deformation = deformation_between(built_cells_[s], state.cells[s], batch.periodicity(s));
    const double strain = (deformation - Mat3::Identity()).norm();
    double moved = 0.0;
    for (std::size_t a = batch.offsets()[s]; a < batch.offsets()[s + 1]; ++a) {
      const auto row = static_cast<Eigen::Index>(a);
      moved = std::max(moved, (state.positions.row(row) - built_positions_.row(row) * deformation).norm());
    }
    // Written so that NaN is not valid.
    if (!(2.0 * moved + strain * (request_.cutoff + request_.skin) < request_.skin)) return false;
  }
  return true;
}

NeighborList build_neighbors(const Batch& batch, const State& state, NeighborRequest request, int threads) {
  check(batch, state, request);
  const double radius = request.cutoff + request.skin;
  std::vector<std::optional<detail::PairSearch>> searches(batch.n_structures());
  parallel_for(searches.size(), threads, [&](std::size_t s) {
    searches[s].emplace(positions_of(batch, state, s), state.cells[s], batch.periodicity(s), radius);
  });
  const std::vector<Task> tasks = tasks_of(batch);
  std::vector<std::vector<detail::Pair>> found(tasks.size());
  parallel_for(tasks.size(), threads, [&](std::size_t t) {
    found[t] = searches[tasks[t].structure]->pairs_of(tasks[t].begin, tasks[t].end);
  });

  NeighborList list;
  list.request_ = request;
  list.built_positions_ = state.positions;
  list.built_cells_ = state.cells;
  list.first_.assign(batch.n_atoms() + 1, 0);
  std::vector<std::size_t> begins(tasks.size() + 1, 0);
  for (std::size_t t = 0; t < tasks.size(); ++t) begins[t + 1] = begins[t] + found[t].size();
  list.centers_.resize(begins.back());
  list.neighbors_.resize(begins.back());
  list.shifts_.resize(begins.back());
  parallel_for(tasks.size(), threads, [&](std::size_t t) {
    const auto offset = static_cast<std::int32_t>(batch.offsets()[tasks[t].structure]);
    std::size_t place = begins[t];
    for (const detail::Pair& pair : found[t]) {
      list.centers_[place] = pair.i + offset;
      list.neighbors_[place] = pair.j + offset;
      list.shifts_[place++] = pair.shift;
      ++list.first_[static_cast<std::size_t>(pair.i + offset) + 1];
    }
    found[t] = {};  // freed as it is copied: the pairs of a large structure must not be held twice
  });
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
    const Shift reach = image_reach(positions_of(batch, state, s), cell, batch.periodicity(s), radius);
    for (std::size_t b = batch.offsets()[s]; b < batch.offsets()[s + 1]; ++b) {
      Shift shift;
      for (shift[0] = -reach[0]; shift[0] <= reach[0]; ++shift[0])
        for (shift[1] = -reach[1]; shift[1] <= reach[1]; ++shift[1])
          for (shift[2] = -reach[2]; shift[2] <= reach[2]; ++shift[2]) {
            if (a == b && shift == Shift{0, 0, 0}) continue;
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
