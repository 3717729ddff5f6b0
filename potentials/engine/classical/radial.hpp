#pragma once

#include <array>
#include <cmath>
#include <cstddef>

namespace tamiz {

/// A function of distance and its derivative.
struct Radial {
  double value = 0.0;  ///< [eV]
  double slope = 0.0;  ///< d/dr [eV/Å]
};

/// Multiplies `function` at r by the quintic switch S(t) = 1 − 10t³ + 15t⁴ − 6t⁵, t = (r − begin)/(end − begin):
/// 1 up to `begin`, 0 from `end` on, with two continuous derivatives. 0 <= begin < end [Å].
inline Radial switched(Radial function, double r, double begin, double end) {
  if (r <= begin) return function;
  if (r >= end) return {};
  const double t = (r - begin) / (end - begin);
  const double s = 1.0 - t * t * t * (10.0 - t * (15.0 - 6.0 * t));
  const double ds = -30.0 * t * t * (1.0 - t) * (1.0 - t) / (end - begin);
  return {function.value * s, function.slope * s + function.value * ds};
}

/// Σ_k shares_k·exp(−decays_k·x), the screening of a nucleus, and its derivative by x.
inline Radial screening(const std::array<double, 4>& shares, const std::array<double, 4>& decays, double x) {
  Radial sum;
  for (std::size_t k = 0; k < shares.size(); ++k) {
    const double term = shares[k] * std::exp(-decays[k] * x);
    sum.value += term;
    sum.slope -= term * decays[k];
  }
  return sum;
}

}  // namespace tamiz
