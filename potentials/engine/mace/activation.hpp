#pragma once

#include <cmath>

namespace tamiz::mace {

struct Activation {
  double value, slope;
};

/// norm·x·sigmoid(x) and its derivative.
inline Activation scaled_silu(double x, double norm) {
  const double sigmoid = 1.0 / (1.0 + std::exp(-x));
  return {norm * x * sigmoid, norm * sigmoid * (1.0 + x * (1.0 - sigmoid))};
}

}  // namespace tamiz::mace
