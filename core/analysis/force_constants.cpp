#include "tamiz/core/analysis/force_constants.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/neighbors/bins.hpp"

namespace tamiz {
namespace {

constexpr double k_most_copies = 1000;

/// −dF/dx for the displacements [first, last) of the first cell, one supercell each, as rows of `values`.
void multiply(const Potential& potential, const Structure& supercell, std::size_t first, std::size_t last, ForceConstants& constants) {
  const auto n = static_cast<Eigen::Index>(supercell.size());
  const std::vector<Structure> images(last - first, supercell);
  Coordinates directions = Coordinates::Zero(n * static_cast<Eigen::Index>(images.size()), 3);
  for (std::size_t d = first; d < last; ++d)
    directions(static_cast<Eigen::Index>(d - first) * n + static_cast<Eigen::Index>(d / 3), static_cast<Eigen::Index>(d % 3)) = 1.0;
  const Coordinates products = hessian_vector_products(potential, images, directions);
  for (std::size_t d = first; d < last; ++d)
    constants.values.row(static_cast<Eigen::Index>(d)) =
        products.middleRows(static_cast<Eigen::Index>(d - first) * n, n).reshaped<Eigen::RowMajor>().transpose();
}

/// The same by central differences.
void difference(const Potential& potential, const Structure& supercell, double step, std::size_t first, std::size_t last,
                ForceConstants& constants) {
  const auto n = static_cast<Eigen::Index>(supercell.size());
  std::vector<Structure> images;
  for (std::size_t d = first; d < last; ++d)
    for (const double sign : {1.0, -1.0}) {
      Coordinates positions = supercell.positions();
      positions(static_cast<Eigen::Index>(d / 3), static_cast<Eigen::Index>(d % 3)) += sign * step;
      images.push_back(supercell.with_positions(Cartesian{std::move(positions)}));
    }
  const Prediction prediction = evaluate(potential, images);
  for (std::size_t d = first; d < last; ++d) {
    const Eigen::Index row = 2 * static_cast<Eigen::Index>(d - first) * n;
    const Coordinates slope = (prediction.forces.middleRows(row + n, n) - prediction.forces.middleRows(row, n)) / (2.0 * step);
    constants.values.row(static_cast<Eigen::Index>(d)) = slope.reshaped<Eigen::RowMajor>().transpose();
  }
}

}  // namespace

std::array<int, 3> copies_for(const Structure& cell, double length) {
  if (!(length > 0.0)) throw UnitError("the length of a supercell must be above 0 Å");
  std::array<int, 3> copies{1, 1, 1};
  if (cell.periodicity() == k_molecule) return copies;
  const Vec3 heights = Lattice(detail::completed_cell(cell.lattice().rows(), cell.periodicity())).heights();
  for (int k = 0; k < 3; ++k) {
    if (!cell.periodicity()[static_cast<std::size_t>(k)]) continue;
    const double wanted = std::ceil(length / heights[k] - 1e-6);
    if (!(wanted <= k_most_copies)) throw UnitError("a supercell of " + format_double(length) + " Å takes more than a thousand copies: expected some tens of Å");
    copies[static_cast<std::size_t>(k)] = std::max(1, static_cast<int>(wanted));
  }
  return copies;
}

ForceConstants force_constants(const Potential& potential, const Structure& cell, std::array<int, 3> copies,
                               const ForceConstantOptions& options,
                               const std::function<void(std::size_t, std::size_t)>& progress) {
  if (cell.size() == 0) throw ShapeError("force constants need at least one atom");
  if (!(options.displacement > 0.0)) throw UnitError("the displacement must be above 0 Å");
  for (std::size_t k = 0; k < 3; ++k)
    if (copies[k] != 1 && !cell.periodicity()[k]) throw ShapeError("a supercell for vibrations has one copy along a direction that is not periodic");
  const Structure supercell = cell.supercell(copies);
  const std::size_t n_displacements = 3 * cell.size();
  ForceConstants constants{cell, copies, {}, 0.0};
  constants.values.resize(static_cast<Eigen::Index>(n_displacements), 3 * static_cast<Eigen::Index>(supercell.size()));
  constants.largest_force = evaluate(potential, std::vector<Structure>{cell}).forces.rowwise().norm().maxCoeff();
  const bool is_exact = potential.capabilities().second_derivatives;
  const std::size_t images = is_exact ? 1 : 2;
  const std::size_t together = std::max<std::size_t>(1, options.atoms_per_batch / (images * supercell.size()));
  for (std::size_t first = 0; first < n_displacements; first += together) {
    const std::size_t last = std::min(first + together, n_displacements);
    if (is_exact) multiply(potential, supercell, first, last, constants);
    else difference(potential, supercell, options.displacement, first, last, constants);
    if (progress) progress(last, n_displacements);
  }
  return constants;
}

}  // namespace tamiz
