#pragma once

#include <Eigen/Core>
#include <functional>

namespace tamiz {

/// Corners of a rectangle.
struct Rectangle {
  Eigen::Array2d low, high;
};

/// Where a smooth function of two variables is smallest on a grid of `points` × `points`, which is narrowed around the best
/// point `zooms` times and may leave the rectangle no more than its border. The first variable changes slowest. Values that
/// are not finite are never the best; the middle of the rectangle where none is finite.
Eigen::Array2d smallest_on_grid(const std::function<double(double, double)>& function, Rectangle rectangle, int points, int zooms);

}  // namespace tamiz
