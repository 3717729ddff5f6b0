#include "tamiz/potentials/engine/mace/spline_map.hpp"

#include <algorithm>

#include "tamiz/potentials/engine/kernels/fused.hpp"

namespace tamiz::mace {
namespace {

constexpr std::size_t k_lanes = kernels::k_lanes<double>;

}  // namespace

SplineMap::SplineMap(const RadialSpline& spline)
    : n_nodes_(spline.nodes().size()),
      n_coefficients_(static_cast<std::size_t>(spline.n_coefficients())),
      forth_(side_of(spline.matrix())),
      back_(side_of(spline.matrix().transpose())) {}

SplineMap::Side SplineMap::side_of(const Eigen::MatrixXd& matrix) {
  const auto n_in = static_cast<std::size_t>(matrix.cols());
  Side side{n_in, (n_in + k_lanes - 1) / k_lanes * k_lanes, {}};
  side.rows.assign_zero(static_cast<std::size_t>(matrix.rows()) * side.padded);
  for (Eigen::Index r = 0; r < matrix.rows(); ++r)
    for (Eigen::Index k = 0; k < matrix.cols(); ++k)
      side.rows.data()[static_cast<std::size_t>(r) * side.padded + static_cast<std::size_t>(k)] = matrix(r, k);
  return side;
}

void SplineMap::apply(const Side& side, std::size_t n_out, const double* from, std::size_t width, double* to,
                      Scratch& scratch) {
  // The kernel multiplies with a packed matrix from the right: rows of the map with the numbers that it maps.
  scratch.packed.assign_zero(side.padded * width);
  for (std::size_t k = 0; k < side.n_in; ++k)
    for (std::size_t c = 0; c < width; c += k_lanes)
      std::copy_n(from + k * width + c, k_lanes, scratch.packed.data() + c * side.padded + k * k_lanes);
  scratch.x.clear();
  scratch.y.clear();
  for (std::size_t r = 0; r < n_out; ++r) {
    scratch.x.push_back(side.rows.data() + r * side.padded);
    scratch.y.push_back(to + r * width);
  }
  kernels::fused_table<double>().multiply({static_cast<std::int64_t>(n_out), static_cast<std::int64_t>(side.padded),
                                           static_cast<std::int64_t>(width), scratch.x.data(), scratch.y.data(),
                                           scratch.packed.data(), false, nullptr});
}

void SplineMap::to_coefficients(const double* values, std::size_t width, double* coefficients, Scratch& scratch) const {
  apply(forth_, n_coefficients_, values, width, coefficients, scratch);
}

void SplineMap::to_nodes(const double* by_coefficients, std::size_t width, double* by_values, Scratch& scratch) const {
  apply(back_, n_nodes_, by_coefficients, width, by_values, scratch);
}

}  // namespace tamiz::mace
