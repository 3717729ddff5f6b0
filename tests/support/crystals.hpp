#pragma once

#include <Eigen/Geometry>
#include <Eigen/LU>
#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "tamiz/core/base/philox.hpp"
#include "tamiz/core/structure/structure.hpp"

namespace tamiz::test_support {

/// One atom: element and fractional coordinates.
struct Site {
  const char* symbol;
  std::array<double, 3> at;
};

inline Structure crystal(const Lattice& lattice, const std::vector<Site>& sites) {
  std::vector<Element> species;
  Coordinates fractional(static_cast<Eigen::Index>(sites.size()), 3);
  for (std::size_t a = 0; a < sites.size(); ++a) {
    species.push_back(Element::from_symbol(sites[a].symbol));
    for (int k = 0; k < 3; ++k) fractional(static_cast<Eigen::Index>(a), k) = sites[a].at[static_cast<std::size_t>(k)];
  }
  return Structure(lattice, k_periodic, species, Fractional{fractional});
}

/// Primitive face-centred cubic vectors of a cube of edge `a` [Å].
inline Lattice face_centred(double a) {
  Mat3 rows;
  rows << 0.0, 0.5, 0.5, 0.5, 0.0, 0.5, 0.5, 0.5, 0.0;
  return Lattice(Mat3(rows * a));
}

inline Lattice hexagonal(double a, double c) { return Lattice::from_parameters(a, a, c, 90.0, 90.0, 120.0); }
inline Lattice cubic(double a) { return Lattice::from_parameters(a, a, a, 90.0, 90.0, 90.0); }

// Crystals with their measured lattice parameters [Å] (Landolt-Börnstein III/41), primitive cells.
inline Structure diamond() { return crystal(face_centred(5.431), {{"Si", {0, 0, 0}}, {"Si", {0.25, 0.25, 0.25}}}); }
inline Structure zincblende() { return crystal(face_centred(4.492), {{"Ga", {0, 0, 0}}, {"N", {0.25, 0.25, 0.25}}}); }
inline Structure rocksalt() { return crystal(face_centred(4.492), {{"Ga", {0, 0, 0}}, {"N", {0.5, 0.5, 0.5}}}); }
inline Structure caesium_chloride() { return crystal(cubic(2.68), {{"Ga", {0, 0, 0}}, {"N", {0.5, 0.5, 0.5}}}); }
inline Structure fluorite() {
  return crystal(face_centred(5.463), {{"Ca", {0, 0, 0}}, {"F", {0.25, 0.25, 0.25}}, {"F", {0.75, 0.75, 0.75}}});
}
inline Structure perovskite() {
  return crystal(cubic(3.905), {{"Sr", {0, 0, 0}}, {"Ti", {0.5, 0.5, 0.5}}, {"O", {0.5, 0.5, 0}}, {"O", {0.5, 0, 0.5}}, {"O", {0, 0.5, 0.5}}});
}
inline Structure wurtzite() {
  constexpr double u = 0.377;
  return crystal(hexagonal(3.189, 5.185), {{"Ga", {1.0 / 3, 2.0 / 3, 0}}, {"Ga", {2.0 / 3, 1.0 / 3, 0.5}}, {"N", {1.0 / 3, 2.0 / 3, u}}, {"N", {2.0 / 3, 1.0 / 3, 0.5 + u}}});
}
inline Structure magnesium() {
  return crystal(hexagonal(3.209, 5.211), {{"Mg", {1.0 / 3, 2.0 / 3, 0.25}}, {"Mg", {2.0 / 3, 1.0 / 3, 0.75}}});
}
/// CaZn2N2, the CaAl2Si2 type.
inline Structure calcium_zinc_nitride() {
  return crystal(hexagonal(3.463, 6.010), {{"Ca", {0, 0, 0}}, {"Zn", {1.0 / 3, 2.0 / 3, 0.636}}, {"Zn", {2.0 / 3, 1.0 / 3, 0.364}}, {"N", {1.0 / 3, 2.0 / 3, 0.268}}, {"N", {2.0 / 3, 1.0 / 3, 0.732}}});
}
inline Structure copper() { return crystal(face_centred(3.615), {{"Cu", {0, 0, 0}}}); }

/// A proper rotation drawn uniformly (Shoemake 1992: a quaternion uniform on the sphere).
inline Mat3 random_rotation(Philox& random) {
  const Eigen::Quaterniond q(random.normal(), random.normal(), random.normal(), random.normal());
  return q.normalized().toRotationMatrix();
}

/// x → x·matrix for lattice and positions; also reflections.
inline Structure turned(const Structure& structure, const Mat3& matrix) {
  const auto species = structure.species();
  return Structure(Lattice(Mat3(structure.lattice().rows() * matrix)), structure.periodicity(), {species.begin(), species.end()},
                   Cartesian{structure.positions() * matrix});
}

inline Structure shifted(const Structure& structure, const Vec3& shift) {
  return structure.with_positions(Cartesian{structure.positions().rowwise() + shift.transpose()});
}

/// The same crystal on the lattice transform·rows, for an integer matrix of determinant ±1.
inline Structure on_other_cell(const Structure& structure, const Eigen::Matrix3i& transform) {
  const Mat3 rows = transform.cast<double>() * structure.lattice().rows();
  const auto species = structure.species();
  return Structure(Lattice(rows), structure.periodicity(), {species.begin(), species.end()}, Cartesian{structure.positions()});
}

/// Atoms in another order: `order[k]` is the old index of atom k.
inline Structure reordered(const Structure& structure, const std::vector<std::size_t>& order) {
  std::vector<Element> species;
  Coordinates positions(structure.positions().rows(), 3);
  for (std::size_t k = 0; k < order.size(); ++k) {
    species.push_back(structure.species()[order[k]]);
    positions.row(static_cast<Eigen::Index>(k)) = structure.positions().row(static_cast<Eigen::Index>(order[k]));
  }
  return Structure(structure.lattice(), structure.periodicity(), species, Cartesian{positions});
}

/// Every coordinate moved by a Gaussian of this width [Å].
inline Structure rattled(const Structure& structure, double width, Philox& random) {
  Coordinates positions = structure.positions();
  for (Eigen::Index k = 0; k < positions.size(); ++k) positions.data()[k] += width * random.normal();
  return structure.with_positions(Cartesian{positions});
}

}  // namespace tamiz::test_support
