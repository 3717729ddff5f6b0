#include "tamiz/core/structure/reduced_crystal.hpp"

#include <Eigen/LU>
#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <optional>
#include <set>
#include <utility>

#include "tamiz/core/base/error.hpp"

namespace tamiz {
namespace {

constexpr double k_reference_volume = 20.0;  // [Å³ per atom]
constexpr double k_displacement = 0.2;       // [Å]: noise of relaxations moves atoms by less than half of it
constexpr double k_strain = 0.05;

using Integers = std::array<int, 3>;
using Row = Eigen::RowVector3d;

struct Points {
  Mat3 cell;
  std::vector<Element> species;
  Coordinates fractional;

  Row point(std::size_t i) const { return fractional.row(static_cast<Eigen::Index>(i)); }
};

/// To the nearest image: right wherever the distance is below half of the least height of the cell.
Row wrapped(const Row& difference) { return difference.array() - difference.array().round(); }

/// First atom of the element with the fewest atoms; of several the lightest.
std::size_t rarest(const std::vector<Element>& species) {
  const Composition composition(species);
  const auto rare = std::min_element(composition.counts().begin(), composition.counts().end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return static_cast<std::size_t>(std::find(species.begin(), species.end(), rare->first) - species.begin());
}

/// Nearest atom of `points` with this element; nothing within `limit` [Å] of the place.
std::optional<std::size_t> atom_at(const Points& points, Element element, const Row& place, double limit) {
  std::optional<std::size_t> nearest;
  for (std::size_t k = 0; k < points.species.size(); ++k) {
    if (points.species[k] != element) continue;
    const double distance = (wrapped(points.point(k) - place) * points.cell).norm();
    if (distance > limit) continue;
    limit = distance;
    nearest = k;
  }
  return nearest;
}

/// Translations inside the cell, in units of 1/`parts` of its vectors, that put every atom onto another one.
std::set<Integers> inner_translations(const Points& points, int parts) {
  std::set<Integers> found{{0, 0, 0}};
  const std::size_t first = rarest(points.species);
  for (std::size_t j = first + 1; j < points.species.size(); ++j) {
    if (points.species[j] != points.species[first]) continue;
    const Row difference = points.point(j) - points.point(first);
    Integers step;
    for (std::size_t k = 0; k < 3; ++k) {
      const int rounded = static_cast<int>(std::lround(difference[static_cast<Eigen::Index>(k)] * parts) % parts);
      step[k] = (rounded + parts) % parts;
    }
    const Row exact = Row(step[0], step[1], step[2]) / parts;
    bool maps = true;
    for (std::size_t i = 0; maps && i < points.species.size(); ++i)
      maps = atom_at(points, points.species[i], points.point(i) + exact, k_displacement).has_value();
    if (maps) found.insert(step);
  }
  for (const Integers& a : found)
    for (const Integers& b : found)
      if (!found.contains({(a[0] + b[0]) % parts, (a[1] + b[1]) % parts, (a[2] + b[2]) % parts})) return {{0, 0, 0}};
  return found;
}

/// Basis of the lattice that integer rows span, by elimination with greatest common divisors.
Eigen::Matrix3i basis_of(std::vector<Integers> rows) {
  Eigen::Matrix3i basis = Eigen::Matrix3i::Zero();
  for (std::size_t column = 0; column < 3; ++column) {
    while (true) {
      std::stable_sort(rows.begin(), rows.end(), [&](const Integers& a, const Integers& b) {
        return (a[column] == 0 ? 1 : 0) < (b[column] == 0 ? 1 : 0) ||
               ((a[column] == 0) == (b[column] == 0) && std::abs(a[column]) < std::abs(b[column]));
      });
      if (rows.size() < 2 || rows[1][column] == 0) break;
      for (std::size_t r = 1; r < rows.size(); ++r) {
        const int factor = rows[r][column] / rows[0][column];
        for (std::size_t k = 0; k < 3; ++k) rows[r][k] -= factor * rows[0][k];
      }
    }
    for (std::size_t k = 0; k < 3; ++k) basis(static_cast<Eigen::Index>(column), static_cast<Eigen::Index>(k)) = rows[0][k];
    rows.erase(rows.begin());
  }
  return basis;
}

/// On the primitive cell: each point is the mean of those that the inner translations put onto each other.
Points primitive(const Points& points) {
  const Composition composition(points.species);
  int parts = 0;
  for (const auto& [element, count] : composition.counts()) parts = std::gcd(parts, count);
  const std::set<Integers> translations = inner_translations(points, parts);
  if (translations.size() == 1) return points;
  std::vector<Integers> rows(translations.begin(), translations.end());
  for (std::size_t k = 0; k < 3; ++k) {
    Integers edge{0, 0, 0};
    edge[k] = parts;
    rows.push_back(edge);
  }
  const Mat3 basis = basis_of(rows).cast<double>() / parts;
  const Mat3 to_new = basis.inverse();
  Points result{basis * points.cell, {}, {}};
  std::vector<Row> means;
  std::vector<bool> done(points.species.size(), false);
  for (std::size_t i = 0; i < points.species.size(); ++i) {
    if (done[i]) continue;
    Row sum = Row::Zero();
    for (const Integers& step : translations) {
      const Row place = points.point(i) + Row(step[0], step[1], step[2]) / parts;
      const std::size_t image = *atom_at(points, points.species[i], place, k_displacement);
      done[image] = true;
      sum += wrapped(points.point(image) - place);
    }
    means.push_back((points.point(i) + sum / static_cast<double>(translations.size())) * to_new);
    result.species.push_back(points.species[i]);
  }
  result.fractional.resize(static_cast<Eigen::Index>(means.size()), 3);
  for (std::size_t k = 0; k < means.size(); ++k) result.fractional.row(static_cast<Eigen::Index>(k)) = means[k];
  return result;
}

/// Minkowski-reduced basis of the same lattice (Semaev 2001, doi:10.1007/3-540-44670-2_13).
Mat3 reduced_basis(const Mat3& cell) {
  constexpr double k_gain = 1.0 - 1e-9;  // less than that is rounding, and would go on for ever
  std::array<Row, 3> b{cell.row(0), cell.row(1), cell.row(2)};
  while (true) {
    std::stable_sort(b.begin(), b.end(), [](const Row& x, const Row& y) { return x.squaredNorm() < y.squaredNorm() * k_gain; });
    const Row second = b[1] - std::round(b[1].dot(b[0]) / b[0].squaredNorm()) * b[0];
    if (second.squaredNorm() < b[1].squaredNorm() * k_gain) {
      b[1] = second;
      continue;
    }
    const Eigen::Matrix2d gram = (Eigen::Matrix2d() << b[0].dot(b[0]), b[0].dot(b[1]), b[0].dot(b[1]), b[1].dot(b[1])).finished();
    const Eigen::Vector2d at = gram.inverse() * Eigen::Vector2d(b[2].dot(b[0]), b[2].dot(b[1]));
    Row third = b[2];
    for (int x = -1; x <= 1; ++x)
      for (int y = -1; y <= 1; ++y) {
        const Row trial = b[2] - (std::round(at[0]) + x) * b[0] - (std::round(at[1]) + y) * b[1];
        if (trial.squaredNorm() < third.squaredNorm() * k_gain) third = trial;
      }
    if (third == b[2]) break;
    b[2] = third;
  }
  Mat3 reduced;
  for (Eigen::Index k = 0; k < 3; ++k) reduced.row(k) = b[static_cast<std::size_t>(k)];
  return reduced;
}

Points on_reduced_cell(Points points) {
  const Mat3 cell = reduced_basis(points.cell);
  points.fractional *= points.cell * cell.inverse();
  points.cell = cell;
  return points;
}

struct LatticeVector {
  Integers steps;
  Row vector;
};

/// Lattice vectors as long as `length`, within the strain.
std::vector<LatticeVector> vectors_of_length(const Mat3& cell, double length) {
  const Mat3 inverse = cell.inverse();
  const double longest = length * (1.0 + k_strain);
  Integers most;
  for (Eigen::Index k = 0; k < 3; ++k) most[static_cast<std::size_t>(k)] = static_cast<int>(longest * inverse.col(k).norm());
  std::vector<LatticeVector> found;
  for (int x = -most[0]; x <= most[0]; ++x)
    for (int y = -most[1]; y <= most[1]; ++y)
      for (int z = -most[2]; z <= most[2]; ++z) {
        const Row vector = Row(x, y, z) * cell;
        if (std::abs(vector.norm() - length) <= k_strain * length) found.push_back({{x, y, z}, vector});
      }
  return found;
}

/// Whether the angle between two vectors is that of two others, within the strain.
bool same_angle(const Row& a, const Row& b, const Row& image_a, const Row& image_b) {
  return std::abs(image_a.dot(image_b) - a.dot(b)) <= 2.0 * k_strain * a.norm() * b.norm();
}

double strain_between(const Mat3& from, const Mat3& to) {
  const Mat3 deformation = from.inverse() * to;
  return 0.5 * (deformation * deformation.transpose() - Mat3::Identity()).norm();
}

/// Whether a shift puts the points of `a` onto those of `b`, which are on the same cell. Atom `rare` of `a` goes onto
/// each that it may be.
bool shift_exists(const Points& a, const Points& b, std::size_t rare) {
  const std::size_t n = a.species.size();
  std::vector<Row> moves(n);
  for (std::size_t j = 0; j < n; ++j) {
    if (b.species[j] != a.species[rare]) continue;
    const Row shift = b.point(j) - a.point(rare);
    Row mean = Row::Zero();
    std::vector<bool> taken(n, false);
    bool fits = true;
    for (std::size_t i = 0; fits && i < n; ++i) {
      const Row place = a.point(i) + shift;
      const auto image = atom_at(b, a.species[i], place, 2.0 * k_displacement);  // the shift has the noise of one atom
      fits = image && !taken[*image];
      if (!fits) break;
      taken[*image] = true;
      moves[i] = wrapped(b.point(*image) - place) * b.cell;
      mean += moves[i] / static_cast<double>(n);
    }
    fits = fits && std::all_of(moves.begin(), moves.end(), [&](const Row& move) { return (move - mean).norm() <= k_displacement; });
    if (fits) return true;
  }
  return false;
}

Points scaled_points(const Structure& structure) {
  if (!structure.is_periodic()) throw CapabilityError("only crystals have a primitive cell, this structure is not periodic");
  const double volume = structure.lattice().volume() / static_cast<double>(structure.size());
  const auto species = structure.species();
  return {structure.lattice().rows() * std::cbrt(k_reference_volume / volume), {species.begin(), species.end()},
          structure.fractional().values};
}

}  // namespace

ReducedCrystal::ReducedCrystal(const Structure& structure) {
  // Reduced before, too: translations inside a skew cell are steps of long vectors, and noise turns them into others.
  Points points = on_reduced_cell(primitive(on_reduced_cell(scaled_points(structure))));
  cell_ = points.cell;
  fractional_ = std::move(points.fractional);
  species_ = std::move(points.species);
  rare_ = rarest(species_);
}

bool ReducedCrystal::coincides_with(const ReducedCrystal& other) const {
  if (!(Composition(species_) == Composition(other.species_))) return false;
  const std::array<Row, 3> a{cell_.row(0), cell_.row(1), cell_.row(2)};
  std::array<std::vector<LatticeVector>, 3> images;
  for (std::size_t k = 0; k < 3; ++k) images[k] = vectors_of_length(other.cell_, a[k].norm());
  for (const LatticeVector& first : images[0])
    for (const LatticeVector& second : images[1]) {
      if (!same_angle(a[0], a[1], first.vector, second.vector)) continue;
      for (const LatticeVector& third : images[2]) {
        if (!same_angle(a[0], a[2], first.vector, third.vector) || !same_angle(a[1], a[2], second.vector, third.vector)) continue;
        Mat3 steps;
        Eigen::Index row = 0;
        for (const LatticeVector* image : {&first, &second, &third}) steps.row(row++) << image->steps[0], image->steps[1], image->steps[2];
        if (std::lround(std::abs(steps.determinant())) != 1) continue;
        const Mat3 cell = steps * other.cell_;
        if (strain_between(cell_, cell) > k_strain) continue;
        const Points mine{cell, species_, fractional_};
        const Points others{cell, other.species_, other.fractional_ * steps.inverse()};
        if (shift_exists(mine, others, rare_)) return true;
      }
    }
  return false;
}

}  // namespace tamiz
