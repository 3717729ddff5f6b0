#include "tamiz/screening/properties/grid_search.hpp"

#include <cmath>
#include <limits>

namespace tamiz {

Eigen::Array2d smallest_on_grid(const std::function<double(double, double)>& function, Rectangle rectangle, int points,
                                int zooms) {
  const Rectangle whole = rectangle;
  Eigen::Array2d best = 0.5 * (whole.low + whole.high);
  double smallest = std::numeric_limits<double>::infinity();
  for (int zoom = 0; zoom <= zooms; ++zoom) {
    const Eigen::Array2d step = (rectangle.high - rectangle.low) / (points - 1);
    for (int i = 0; i < points; ++i)
      for (int j = 0; j < points; ++j) {
        const Eigen::Array2d at = rectangle.low + step * Eigen::Array2d(i, j);
        const double value = function(at[0], at[1]);
        if (!std::isfinite(value) || value >= smallest) continue;
        smallest = value;
        best = at;
      }
    rectangle = {(best - step).max(whole.low), (best + step).min(whole.high)};
  }
  return best;
}

}  // namespace tamiz
