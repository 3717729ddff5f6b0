#include "tamiz/core/structure/symmetry.hpp"

#include <spglib.h>

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <array>
#include <cmath>
#include <memory>

#include "tamiz/core/base/error.hpp"

namespace tamiz {
namespace {

constexpr double k_skew = 0.05;  // of the volume to the product of the lengths

/// A structure as spglib wants it: lattice vectors in columns, fractional positions, integer types.
struct Cell {
  double lattice[3][3];
  std::vector<std::array<double, 3>> positions;
  std::vector<int> types;

  explicit Cell(const Structure& structure, std::size_t reserve = 0) {
    if (!structure.is_periodic()) throw CapabilityError("symmetry needs a structure that is periodic in all directions");
    if (structure.size() == 0) throw ShapeError("symmetry needs at least one atom");
    for (int i = 0; i < 3; ++i)
      for (int k = 0; k < 3; ++k) lattice[i][k] = structure.lattice().rows()(k, i);
    const Fractional fractional = structure.fractional();
    for (Eigen::Index a = 0; a < fractional.values.rows(); ++a)
      positions.push_back({fractional.values(a, 0), fractional.values(a, 1), fractional.values(a, 2)});
    for (const Element element : structure.species()) types.push_back(element.number());
    if (reserve > positions.size()) {
      positions.resize(reserve);
      types.resize(reserve);
    }
  }
  double (*raw())[3] { return reinterpret_cast<double(*)[3]>(positions.data()); }
};

using Dataset = std::unique_ptr<SpglibDataset, decltype(&spg_free_dataset)>;

Dataset dataset_of(const Structure& structure, double tolerance) {
  Cell cell(structure);
  Dataset dataset(spg_get_dataset(cell.lattice, cell.raw(), cell.types.data(), static_cast<int>(structure.size()), tolerance),
                  &spg_free_dataset);
  if (!dataset)
    throw NumericsError("spglib found no symmetry at tolerance " + std::to_string(tolerance) +
                        " Å: atoms overlap or the cell is degenerate");
  return dataset;
}

Mat3 rows_of(const double (&lattice)[3][3]) {
  Mat3 rows;
  for (int i = 0; i < 3; ++i)
    for (int k = 0; k < 3; ++k) rows(k, i) = lattice[i][k];
  return rows;
}

/// The same crystal on its Niggli-reduced lattice.
Structure niggli_reduced(const Structure& structure, double tolerance) {
  double lattice[3][3];
  for (int i = 0; i < 3; ++i)
    for (int k = 0; k < 3; ++k) lattice[i][k] = structure.lattice().rows()(k, i);
  if (spg_niggli_reduce(lattice, tolerance) == 0) return structure;
  const Lattice reduced(rows_of(lattice));
  Coordinates fractional = structure.positions() * reduced.reciprocal().transpose();
  fractional = fractional.array() - fractional.array().floor();
  const auto species = structure.species();
  return Structure(reduced, k_periodic, {species.begin(), species.end()}, Fractional{std::move(fractional)});
}

/// spglib cannot do with very skew cells.
bool is_skew(const Lattice& lattice) {
  const Mat3& rows = lattice.rows();
  return std::abs(lattice.volume()) < k_skew * rows.row(0).norm() * rows.row(1).norm() * rows.row(2).norm();
}

Structure standardized(const Structure& given, bool primitive, double tolerance) {
  const Structure structure = is_skew(given.lattice()) ? niggli_reduced(given, 1e-5) : given;
  const int capacity = 4 * static_cast<int>(structure.size());  // the conventional cell holds up to four primitive ones
  Cell cell(structure, static_cast<std::size_t>(capacity));
  const int n = spg_standardize_cell(cell.lattice, cell.raw(), cell.types.data(), static_cast<int>(structure.size()),
                                     primitive ? 1 : 0, 0, tolerance);
  if (n == 0)
    throw NumericsError("spglib cannot standardise the cell at tolerance " + std::to_string(tolerance) + " Å");
  Coordinates positions(n, 3);
  std::vector<Element> species;
  for (int a = 0; a < n; ++a) {
    for (int k = 0; k < 3; ++k) positions(a, k) = cell.positions[static_cast<std::size_t>(a)][static_cast<std::size_t>(k)];
    species.emplace_back(cell.types[static_cast<std::size_t>(a)]);
  }
  return Structure(Lattice(rows_of(cell.lattice)), k_periodic, std::move(species), Fractional{std::move(positions)});
}

/// Index of the atom nearest to `position` (fractional) of the same element, over all images.
Eigen::Index nearest_atom(const Coordinates& fractional, std::span<const Element> species, Element element,
                          const Vec3& position, const Mat3& cell, Vec3& difference) {
  Eigen::Index best = -1;
  double best_distance = std::numeric_limits<double>::infinity();
  for (Eigen::Index b = 0; b < fractional.rows(); ++b) {
    if (species[static_cast<std::size_t>(b)] != element) continue;
    Vec3 delta = position - Vec3(fractional.row(b));
    delta = delta.array() - delta.array().round();
    const double distance = (delta.transpose() * cell).norm();
    if (distance >= best_distance) continue;
    best_distance = distance;
    best = b;
    difference = delta;
  }
  return best;
}

}  // namespace

SpaceGroup space_group(const Structure& structure, double tolerance) {
  const Dataset dataset = dataset_of(structure, tolerance);
  return {dataset->spacegroup_number, dataset->international_symbol, dataset->hall_number,
          {dataset->equivalent_atoms, dataset->equivalent_atoms + dataset->n_atoms}};
}

Structure primitive_cell(const Structure& structure, double tolerance) {
  return niggli_reduced(standardized(structure, true, tolerance), 1e-5);
}

Structure conventional_cell(const Structure& structure, double tolerance) { return standardized(structure, false, tolerance); }

Structure symmetrized(const Structure& structure, double tolerance) {
  const Dataset dataset = dataset_of(structure, tolerance);
  const int n_operations = dataset->n_operations;
  // The metric a_i·a_j averaged over all rotations, and the lattice nearest to the given one that has it.
  const Mat3& cell = structure.lattice().rows();
  const Mat3 metric = cell * cell.transpose();
  Mat3 mean_metric = Mat3::Zero();
  std::vector<Eigen::Matrix3d> rotations;
  for (int o = 0; o < n_operations; ++o) {
    Eigen::Matrix3d rotation;
    for (int i = 0; i < 3; ++i)
      for (int k = 0; k < 3; ++k) rotation(i, k) = dataset->rotations[o][i][k];
    rotations.push_back(rotation);
    mean_metric += rotation.transpose() * metric * rotation / n_operations;
  }
  const Mat3 ratio = cell.inverse() * mean_metric * cell.inverse().transpose();  // = (1 + strain)·(1 + strain)ᵀ
  const Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d> solver(Eigen::Matrix3d(0.5 * (ratio + ratio.transpose())));
  const Lattice lattice(Mat3(cell * solver.operatorSqrt()));

  const Coordinates fractional = structure.fractional().values;
  Coordinates mean = Coordinates::Zero(fractional.rows(), 3);
  for (int o = 0; o < n_operations; ++o) {
    const Eigen::Map<const Vec3> translation(dataset->translations[o]);
    for (Eigen::Index a = 0; a < fractional.rows(); ++a) {
      const Vec3 moved = rotations[static_cast<std::size_t>(o)] * Vec3(fractional.row(a)) + translation;
      Vec3 difference = Vec3::Zero();
      const Eigen::Index b = nearest_atom(fractional, structure.species(), structure.species()[static_cast<std::size_t>(a)],
                                          moved, cell, difference);
      mean.row(b) += (Vec3(fractional.row(b)) + difference).transpose() / n_operations;
    }
  }
  const auto species = structure.species();
  return Structure(lattice, k_periodic, {species.begin(), species.end()}, Fractional{std::move(mean)});
}

std::vector<SymmetryOperation> operations_of_hall(int hall_number) {
  if (hall_number < 1 || hall_number > 530)
    throw NumericsError("expected a Hall number from 1 to 530, got " + std::to_string(hall_number));
  int rotations[192][3][3];
  double translations[192][3];
  const int n = spg_get_symmetry_from_database(rotations, translations, hall_number);
  std::vector<SymmetryOperation> operations;
  for (int o = 0; o < n; ++o) {
    SymmetryOperation operation;
    for (int i = 0; i < 3; ++i) {
      for (int k = 0; k < 3; ++k) operation.rotation(i, k) = rotations[o][i][k];
      operation.translation[i] = translations[o][i];
    }
    operations.push_back(operation);
  }
  return operations;
}

int hall_number_of(int space_group_number) {
  if (space_group_number < 1 || space_group_number > 230)
    throw NumericsError("expected a space group number from 1 to 230, got " + std::to_string(space_group_number));
  for (int hall = 1; hall <= 530; ++hall)
    if (spg_get_spacegroup_type(hall).number == space_group_number) return hall;
  throw NumericsError("spglib has no setting of space group " + std::to_string(space_group_number));
}

}  // namespace tamiz
