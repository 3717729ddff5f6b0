#pragma once

#include <cmath>

namespace tamiz::mace {

struct Activation {
  double value, slope, curvature;
};

/// norm·x·sigmoid(x) and its derivatives.
inline Activation scaled_silu(double x, double norm) {
  const double sigmoid = 1.0 / (1.0 + std::exp(-x));
  const double rest = 1.0 - sigmoid;
  return {norm * x * sigmoid, norm * sigmoid * (1.0 + x * rest), norm * sigmoid * rest * (2.0 + x * (1.0 - 2.0 * sigmoid))};
}

}  // namespace tamiz::mace
