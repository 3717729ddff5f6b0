#include "tamiz/potentials/engine/radial/bessel.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tamiz {
namespace {

struct Envelope {
  double value, derivative;
};

Envelope polynomial_envelope(double r, double cutoff, int p) {
  const double x = r / cutoff, below = std::pow(x, p - 1), power = below * x;
  const double a = 0.5 * (p + 1.0) * (p + 2.0), b = p * (p + 2.0), c = 0.5 * p * (p + 1.0);
  return {1.0 - power * (a - x * (b - x * c)), -below * (a * p - x * (b * (p + 1.0) - x * c * (p + 2.0))) / cutoff};
}

}  // namespace

void bessel_basis(double r, double cutoff, int envelope_power, std::span<double> values,
                  std::span<double> derivatives) {
  if (r >= cutoff) {
    std::fill(values.begin(), values.end(), 0.0);
    std::fill(derivatives.begin(), derivatives.end(), 0.0);
    return;
  }
  const Envelope envelope = polynomial_envelope(r, cutoff, envelope_power);
  const double norm = std::sqrt(2.0 / cutoff);
  for (std::size_t k = 0; k < values.size(); ++k) {
    const double q = static_cast<double>(k + 1) * std::numbers::pi / cutoff;
    const double sine = std::sin(q * r), bessel = norm * sine / r;
    values[k] = bessel * envelope.value;
    if (derivatives.empty()) continue;
    const double slope = norm * (q * std::cos(q * r) - sine / r) / r;
    derivatives[k] = slope * envelope.value + bessel * envelope.derivative;
  }
}

}  // namespace tamiz
