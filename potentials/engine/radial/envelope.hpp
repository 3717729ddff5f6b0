#pragma once

#include <cmath>

namespace tamiz {

/// A value at r and its derivative by r.
struct Envelope {
  double value, derivative;
};

/// Polynomial envelope of power p (Gasteiger et al. 2020, arXiv:2003.03123, eq. 8) at 0 <= r < cutoff [Å]: 1 at r = 0,
/// zero with two derivatives at the cutoff.
inline Envelope polynomial_envelope(double r, double cutoff, int p) {
  const double x = r / cutoff, below = std::pow(x, p - 1), power = below * x;
  const double a = 0.5 * (p + 1.0) * (p + 2.0), b = p * (p + 2.0), c = 0.5 * p * (p + 1.0);
  return {1.0 - power * (a - x * (b - x * c)), -below * (a * p - x * (b * (p + 1.0) - x * c * (p + 2.0))) / cutoff};
}

}  // namespace tamiz
