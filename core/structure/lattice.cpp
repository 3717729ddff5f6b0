#include "tamiz/core/structure/lattice.hpp"

#include <Eigen/Geometry>
#include <Eigen/LU>
#include <cmath>
#include <numbers>

#include "tamiz/core/base/error.hpp"

namespace tamiz {
namespace {

constexpr double k_degree = std::numbers::pi / 180.0;
constexpr double k_flat = 1e-8;  // sine or height of a unit cell below which rounding alone makes its volume

/// cos of an angle in degrees, with an exact zero at 90° so that orthogonal cells have exact zeros.
double cosine(double degrees) { return degrees == 90.0 ? 0.0 : std::cos(degrees * k_degree); }

double angle_between(const Vec3& a, const Vec3& b) {
  return std::atan2(a.cross(b).norm(), a.dot(b)) / k_degree;
}

}  // namespace

Lattice::Lattice(const Mat3& rows) : rows_(rows) {
  if (!rows.allFinite()) throw NumericsError("a lattice vector is not finite");
}

Lattice Lattice::from_parameters(double a, double b, double c, double alpha, double beta, double gamma) {
  const double cos_alpha = cosine(alpha), cos_beta = cosine(beta);
  const double cos_gamma = cosine(gamma), sin_gamma = std::sin(gamma * k_degree);
  const double cx = cos_beta;
  const double cy = (cos_alpha - cos_beta * cos_gamma) / sin_gamma;
  const double cz_squared = 1.0 - cx * cx - cy * cy;
  if (!(a > 0.0 && b > 0.0 && c > 0.0) || !(sin_gamma > k_flat) || !(cz_squared > k_flat * k_flat))
    throw NumericsError("lattice parameters do not make a cell: lengths must be positive, and each angle less than the "
                        "sum of the other two");
  Mat3 rows;
  rows << a, 0.0, 0.0, b * cos_gamma, b * sin_gamma, 0.0, c * cx, c * cy, c * std::sqrt(cz_squared);
  return Lattice(rows);
}

double Lattice::signed_volume() const { return vector(0).dot(vector(1).cross(vector(2))); }

double Lattice::volume() const { return std::abs(signed_volume()); }

std::array<double, 6> Lattice::parameters() const {
  return {vector(0).norm(),
          vector(1).norm(),
          vector(2).norm(),
          angle_between(vector(1), vector(2)),
          angle_between(vector(0), vector(2)),
          angle_between(vector(0), vector(1))};
}

Mat3 Lattice::reciprocal() const {
  const double volume = signed_volume();
  if (volume == 0.0) throw NumericsError("the cell has no volume");
  Mat3 result;
  for (int k = 0; k < 3; ++k) result.row(k) = vector((k + 1) % 3).cross(vector((k + 2) % 3)) / volume;
  return result;
}

Vec3 Lattice::heights() const {
  const Mat3 inverse = reciprocal();
  return inverse.rowwise().norm().cwiseInverse();
}

}  // namespace tamiz
