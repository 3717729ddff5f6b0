#include "tamiz/core/analysis/curvature.hpp"

#include <vector>

#include "tamiz/core/analysis/force_constants.hpp"
#include "tamiz/core/base/error.hpp"

namespace tamiz {
namespace {

constexpr double k_strain = 1e-3;

/// Derivatives of the energy by all coordinates, of structure s of a prediction, whose cell is strained by 1 + ε = `deformation`.
Eigen::VectorXd gradient(const Prediction& prediction, Eigen::Index s, const Structure& strained, const Mat3& deformation) {
  const auto n = static_cast<Eigen::Index>(strained.size());
  const Coordinates by_position = -prediction.forces.middleRows(s * n, n) * deformation.transpose();
  const Mat3 by_strain = strained.lattice().volume() * prediction.stresses[static_cast<std::size_t>(s)];
  Eigen::VectorXd all(3 * n + 9);
  all << by_position.reshaped<Eigen::RowMajor>(), by_strain.reshaped<Eigen::RowMajor>();
  return all;
}

}  // namespace

Eigen::MatrixXd curvature(const Potential& potential, const Structure& crystal) {
  if (!crystal.is_periodic()) throw CapabilityError("the curvature by strain needs a structure that is periodic in all directions");
  const auto n = 3 * static_cast<Eigen::Index>(crystal.size());
  Eigen::MatrixXd matrix = Eigen::MatrixXd::Zero(n + 9, n + 9);
  matrix.topLeftCorner(n, n) = force_constants(potential, crystal, {1, 1, 1}).values;
  std::vector<Mat3> strains;
  std::vector<Structure> strained;
  for (int i = 0; i < 3; ++i)
    for (int j = i; j < 3; ++j)
      for (const double sign : {1.0, -1.0}) {
        Mat3 strain = Mat3::Zero();
        strain(i, j) = strain(j, i) = sign * k_strain;
        strains.push_back(strain);
        strained.push_back(crystal.strained(strain));
      }
  const Prediction prediction = evaluate(potential, strained, {.forces = true, .stress = true});
  Eigen::Index s = 0;
  for (int i = 0; i < 3; ++i)
    for (int j = i; j < 3; ++j, s += 2) {
      const auto slope = [&](Eigen::Index k) {
        const auto at = static_cast<std::size_t>(k);
        return gradient(prediction, k, strained[at], Mat3(Mat3::Identity() + strains[at]));
      };
      // Half of the shear is each of its two components.
      const Eigen::VectorXd column = (slope(s) - slope(s + 1)) / ((i == j ? 2.0 : 4.0) * k_strain);
      for (const Eigen::Index place : {n + 3 * i + j, n + 3 * j + i}) {
        matrix.col(place) = column;
        matrix.row(place).head(n) = column.head(n).transpose();
      }
    }
  return 0.5 * (matrix + matrix.transpose().eval());
}

}  // namespace tamiz
