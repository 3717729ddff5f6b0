#pragma once

#include <Eigen/Core>

namespace tamiz {

using Vec3 = Eigen::Vector3d;
/// Row-major, so that the rows of a cell are contiguous lattice vectors.
using Mat3 = Eigen::Matrix<double, 3, 3, Eigen::RowMajor>;
/// (n, 3), one row per atom.
using Coordinates = Eigen::Matrix<double, Eigen::Dynamic, 3, Eigen::RowMajor>;

}  // namespace tamiz
