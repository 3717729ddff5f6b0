#include "tamiz/screening/propose/random_crystal.hpp"

#include <Eigen/QR>
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/hash.hpp"
#include "tamiz/screening/propose/contacts.hpp"
#include "tamiz/screening/propose/radii.hpp"

namespace tamiz {
namespace {

constexpr double k_same_point = 1e-4;
/// Tries to place one orbit before the attempt is given up.
constexpr int k_orbit_tries = 40;

Vec3 image_of(const SymmetryOperation& operation, const Vec3& x) {
  return operation.rotation.cast<double>() * x + operation.translation;
}

Vec3 wrapped(const Vec3& x) { return x - x.array().floor().matrix(); }

double distance_to_image(const Vec3& a, const Vec3& b) {
  const Vec3 d = a - b;
  return (d - d.array().round().matrix()).cwiseAbs().maxCoeff();
}

/// Pure translations: 1 for P, 2 for A, B, C, I, 3 for R on hexagonal axes, 4 for F.
int centring(const std::vector<SymmetryOperation>& operations) {
  return static_cast<int>(std::count_if(operations.begin(), operations.end(), [](const SymmetryOperation& o) {
    return o.rotation == Eigen::Matrix3i::Identity();
  }));
}

std::vector<Vec3> orbit(const Vec3& point, const std::vector<SymmetryOperation>& operations) {
  std::vector<Vec3> points;
  for (const SymmetryOperation& operation : operations) {
    const Vec3 image = wrapped(image_of(operation, point));
    const bool known = std::any_of(points.begin(), points.end(),
                                   [&](const Vec3& x) { return distance_to_image(x, image) < k_same_point; });
    if (!known) points.push_back(image);
  }
  return points;
}

/// A cell while it is being filled.
struct Filling {
  Mat3 cell;
  std::vector<Vec3> points;  ///< fractional
  std::vector<Element> species;

  /// Distance over the nearest 27 images: quick, and enough to drop most bad places; `too_close` has the last word.
  double distance(const Vec3& a, const Vec3& b, bool same) const {
    Vec3 d = a - b;
    d -= d.array().round().matrix();
    double least = std::numeric_limits<double>::infinity();
    for (int i = -1; i <= 1; ++i) {
      for (int j = -1; j <= 1; ++j) {
        for (int k = -1; k <= 1; ++k) {
          if (same && i == 0 && j == 0 && k == 0) continue;
          least = std::min(least, (cell.transpose() * (d + Vec3(i, j, k))).squaredNorm());
        }
      }
    }
    return std::sqrt(least);
  }

  /// True when an orbit of `element` keeps its distances; one point stands for all, which are its images.
  bool has_room_for(const std::vector<Vec3>& orbit, Element element, const MinimumDistances& least) const {
    const double own = least.at({element, element});
    for (std::size_t k = 0; k < orbit.size(); ++k) {
      if (distance(orbit.front(), orbit[k], k == 0) < own) return false;
    }
    for (std::size_t k = 0; k < points.size(); ++k) {
      if (distance(orbit.front(), points[k], false) < least.at({element, species[k]})) return false;
    }
    return true;
  }
};

/// An orbit of at most `room` points with room in the cell; empty when none was found.
std::vector<Vec3> place_orbit(const std::vector<SymmetryOperation>& operations, int room, Element element,
                              const Filling& filling, const MinimumDistances& least, Philox& random) {
  for (int attempt = 0; attempt < k_orbit_tries; ++attempt) {
    const Vec3 start(random.uniform(), random.uniform(), random.uniform());
    const auto constraints = static_cast<int>(random.below(7));
    std::vector<Vec3> points = orbit(special_position(start, operations, constraints, random), operations);
    if (static_cast<int>(points.size()) > room || !filling.has_room_for(points, element, least)) continue;
    return points;
  }
  return {};
}

/// Symmetry operations per volume: grows when a group is a supergroup of another.
double symmetry_density(int hall_number, double primitive_volume) {
  const std::vector<SymmetryOperation> operations = operations_of_hall(hall_number);
  return static_cast<double>(operations.size()) / centring(operations) / primitive_volume;
}

struct Drawn {
  int units;
  int space_group;
  std::vector<SymmetryOperation> operations;
  int hall_number;
};

Drawn draw(const Composition& formula, int max_atoms, Philox& random) {
  const int most = std::max(1, max_atoms / formula.n_atoms());
  Drawn drawn{};
  drawn.units = 1 + static_cast<int>(random.below(static_cast<std::uint64_t>(most)));
  drawn.space_group = 2 + static_cast<int>(random.below(229));
  drawn.hall_number = hall_number_of(drawn.space_group);
  drawn.operations = operations_of_hall(drawn.hall_number);
  return drawn;
}

/// Conventional cell, or nothing when no choice of orbits fitted.
std::optional<Structure> fill_cell(const Composition& formula, const OxidationStates& states, const Drawn& drawn,
                                   Philox& random) {
  const int cells = centring(drawn.operations);
  const double volume = guess_volume(formula, states) * drawn.units * cells * (0.8 + 0.4 * random.uniform());
  const Lattice lattice = random_lattice(drawn.space_group, volume, random);
  const MinimumDistances least = minimum_distances(states);
  Filling filling{lattice.rows(), {}, {}};
  for (const auto& [element, count] : formula.counts()) {
    int room = count * drawn.units * cells;
    while (room > 0) {
      const std::vector<Vec3> placed = place_orbit(drawn.operations, room, element, filling, least, random);
      if (placed.empty()) return std::nullopt;
      filling.points.insert(filling.points.end(), placed.begin(), placed.end());
      filling.species.insert(filling.species.end(), placed.size(), element);
      room -= static_cast<int>(placed.size());
    }
  }
  const auto& points = filling.points;
  Coordinates fractional(static_cast<Eigen::Index>(points.size()), 3);
  for (std::size_t k = 0; k < points.size(); ++k) fractional.row(static_cast<Eigen::Index>(k)) = points[k].transpose();
  Structure crystal(lattice, k_periodic, filling.species, Fractional{fractional});
  if (too_close(crystal, least)) return std::nullopt;
  return crystal;
}

}  // namespace

Vec3 special_position(const Vec3& point, const std::vector<SymmetryOperation>& operations, int n_constraints,
                      Philox& random) {
  Eigen::MatrixXd rows(0, 3);
  Eigen::VectorXd right(0);
  Vec3 x = point;
  for (int n = 0; n < n_constraints; ++n) {
    const SymmetryOperation& operation = operations[random.below(operations.size())];
    const Vec3 image = image_of(operation, x);
    const Vec3 shift = (x - image).array().round().matrix();
    Eigen::MatrixXd more(rows.rows() + 3, 3);
    more << rows, operation.rotation.cast<double>() - Eigen::Matrix3d::Identity();
    Eigen::VectorXd more_right(right.size() + 3);
    more_right << right, -(operation.translation + shift);
    const Vec3 moved = x + Eigen::CompleteOrthogonalDecomposition<Eigen::MatrixXd>(more).solve(more_right - more * x);
    // A screw axis or a glide plane fixes no point: the constraint is then left out.
    if ((more * moved - more_right).cwiseAbs().maxCoeff() > 1e-8) continue;
    x = moved;
    rows = more;
    right = more_right;
  }
  return x;
}

Lattice random_lattice(int space_group, double volume, Philox& random) {
  const auto length = [&] { return std::exp(std::log(2.5) * (random.uniform() - 0.5)); };
  const auto angle = [&] { return 65.0 + 50.0 * random.uniform(); };
  std::array<double, 6> p{length(), length(), length(), 90.0, 90.0, 90.0};
  if (space_group <= 2) {
    p[3] = angle();
    p[4] = angle();
    p[5] = angle();
  } else if (space_group <= 15) {
    p[4] = angle();
  } else if (space_group >= 75) {
    p[1] = p[0];
    // A wider range for the one free ratio: layered cells are long.
    p[2] = p[0] * std::exp(std::log(3.0) * (2.0 * random.uniform() - 1.0));
    if (space_group >= 143 && space_group <= 194) p[5] = 120.0;
    if (space_group >= 195) p[2] = p[0];
  }
  const double unit = Lattice::from_parameters(p[0], p[1], p[2], p[3], p[4], p[5]).volume();
  const double scale = std::cbrt(volume / unit);
  return Lattice::from_parameters(scale * p[0], scale * p[1], scale * p[2], p[3], p[4], p[5]);
}

std::optional<RandomCrystal> random_crystal(const Composition& formula, const OxidationStates& states, int max_atoms,
                                            std::uint64_t seed, std::uint32_t attempt) {
  // The formula is part of the key: its crystals are the same in whatever company it is proposed.
  Philox random(seed, streams::k_crystals, hash64(formula.reduced().formula()), attempt);
  const Drawn drawn = draw(formula, max_atoms, random);
  const std::optional<Structure> cell = fill_cell(formula, states, drawn, random);
  if (!cell) return std::nullopt;
  constexpr double k_tolerance = 0.001;
  try {
    const Structure primitive = primitive_cell(*cell, k_tolerance);
    const SpaceGroup found = space_group(primitive, k_tolerance);
    const double asked_volume = cell->lattice().volume() / centring(drawn.operations);
    const double asked = symmetry_density(drawn.hall_number, asked_volume);
    const double got = symmetry_density(found.hall_number, primitive.lattice().volume());
    if (got < asked * (1.0 - 1e-6)) return std::nullopt;
    return RandomCrystal{primitive, found, drawn.space_group};
  } catch (const NumericsError&) {
    // spglib cannot tell the symmetry at this tolerance: as good as no crystal.
    return std::nullopt;
  }
}

}  // namespace tamiz
