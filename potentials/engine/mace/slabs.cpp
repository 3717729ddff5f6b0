#include "tamiz/potentials/engine/mace/slabs.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <utility>

#include "tamiz/core/neighbors/bins.hpp"

namespace tamiz::mace {
namespace {

/// A direction and how far a slab reaches along it.
struct Axis {
  Vec3 direction;
  double begin, length;
  bool periodic;
};

/// Normals of the faces of the cell; open directions that the cell says nothing of get vectors as in a list of neighbours.
std::vector<Axis> axes(const Batch& batch, const State& state, std::size_t s) {
  const std::size_t begin = batch.offsets()[s];
  const auto positions = state.positions.middleRows(static_cast<Eigen::Index>(begin), static_cast<Eigen::Index>(batch.n_atoms(s)));
  const Periodicity& periodic = batch.periodicity(s);
  const Mat3 cell = detail::completed_cell(state.cells[s], periodic);
  const Mat3 normals = cell.inverse();
  std::vector<Axis> result;
  for (int k = 0; k < 3; ++k) {
    Axis axis{normals.col(k).normalized(), 0.0, 0.0, periodic[static_cast<std::size_t>(k)]};
    if (axis.periodic) {
      axis.length = std::abs(cell.row(k).dot(axis.direction));
    } else {
      const Eigen::VectorXd along = positions * axis.direction;
      axis.begin = along.minCoeff();
      axis.length = along.maxCoeff() - axis.begin;
    }
    result.push_back(axis);
  }
  return result;
}

Slabs cut_along(const Axis& axis, std::size_t n, const Batch& batch, const State& state, std::size_t s) {
  Slabs slabs{n, {}};
  for (std::size_t atom = batch.offsets()[s]; atom < batch.offsets()[s + 1]; ++atom) {
    double share = (state.positions.row(static_cast<Eigen::Index>(atom)).dot(axis.direction) - axis.begin) / axis.length;
    if (axis.periodic) share -= std::floor(share);
    const auto slab = static_cast<std::int64_t>(share * static_cast<double>(n));
    slabs.of.push_back(static_cast<std::int32_t>(std::clamp<std::int64_t>(slab, 0, static_cast<std::int64_t>(n) - 1)));
  }
  return slabs;
}

std::size_t largest(const Slabs& slabs) {
  std::vector<std::size_t> count(slabs.n, 0);
  for (const std::int32_t slab : slabs.of) ++count[static_cast<std::size_t>(slab)];
  return *std::max_element(count.begin(), count.end());
}

}  // namespace

Slabs cut_into_slabs(const Batch& batch, const State& state, std::size_t s, double cutoff, std::size_t least) {
  // Thicker than the cutoff by more than rounding.
  const double thickness = cutoff * (1.0 + 1e-9);
  Slabs best;
  std::size_t fewest = (batch.n_atoms(s) + k_slabs_at_once - 1) / k_slabs_at_once;
  for (const Axis& axis : axes(batch, state, s)) {
    const auto n = static_cast<std::size_t>(axis.length / thickness);
    if (n < least) continue;
    Slabs slabs = cut_along(axis, n, batch, state, s);
    if (const std::size_t atoms = largest(slabs); atoms < fewest) {
      fewest = atoms;
      best = std::move(slabs);
    }
  }
  return best;
}

}  // namespace tamiz::mace
