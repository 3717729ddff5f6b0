#include "tamiz/potentials/engine/radial/bessel.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tamiz/potentials/engine/radial/envelope.hpp"

namespace tamiz {
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
