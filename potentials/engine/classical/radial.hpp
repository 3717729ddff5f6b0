#pragma once

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

}  // namespace tamiz
