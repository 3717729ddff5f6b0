#include "tamiz/potentials/engine/radial/radial_basis.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tamiz/potentials/engine/radial/envelope.hpp"

namespace tamiz {
namespace {

std::vector<double> regular_points(const ModelDescription& d) {
  std::vector<double> points;
  for (int n = 0; n < d.n_radial; ++n)
    points.push_back(d.radial_basis == "gaussian" ? n * d.cutoff / std::max(1, d.n_radial - 1)
                                                  : (n + 1) * std::numbers::pi / d.cutoff);
  return points;
}

}  // namespace

RadialBasis::RadialBasis(const ModelDescription& d)
    : cutoff_(d.cutoff),
      power_(d.envelope_power),
      gaussian_(d.radial_basis == "gaussian"),
      envelope_apart_(d.envelope_on_weights),
      transform_(d.distance_transform == "agnesi" ? Transform::agnesi
                 : d.distance_transform == "soft" ? Transform::soft
                                                  : Transform::none),
      points_(d.radial_points.empty() ? regular_points(d) : d.radial_points),
      parameters_(d.transform_parameters) {
  if (parameters_.empty() && transform_ == Transform::agnesi) parameters_ = {0.9183, 4.5791, 1.0805};
  if (parameters_.empty() && transform_ == Transform::soft) parameters_ = {4.0};
  const double spacing = cutoff_ / std::max(1, d.n_radial - 1);
  sharpness_ = 0.5 / (spacing * spacing);
}

RadialBasis::Value RadialBasis::transformed(double r, double contact) const {
  if (transform_ == Transform::agnesi) {
    // Witt et al. 2023 (doi:10.1063/5.0158783); r₀ is the mean covalent radius.
    const double q = parameters_[0], p = parameters_[1], a = parameters_[2], scale = 0.5 * contact;
    const double u = r / scale, rise = std::pow(u, q), bend = std::pow(u, q - p), share = 1.0 / (1.0 + bend);
    const double x = 1.0 / (1.0 + a * rise * share);
    const double slope = a * rise * share * (q - (q - p) * bend * share) / r;
    return {x, -x * x * slope};
  }
  if (transform_ == Transform::soft) {
    const double low = 0.75 * contact, high = 4.0 / 3.0 * contact, steep = parameters_[0] / (high - low);
    const double t = std::tanh(steep * (r - 0.5 * (low + high))), share = 0.5 * (1.0 + t);
    return {low + (r - low) * share, share + (r - low) * 0.5 * steep * (1.0 - t * t)};
  }
  return {r, 1.0};
}

RadialBasis::Value RadialBasis::function(std::size_t n, double x) const {
  if (gaussian_) {
    const double away = x - points_[n], value = std::exp(-sharpness_ * away * away);
    return {value, -2.0 * sharpness_ * away * value};
  }
  const double norm = std::sqrt(2.0 / cutoff_), sine = norm * std::sin(points_[n] * x);
  return {sine / x, (norm * points_[n] * std::cos(points_[n] * x) - sine / x) / x};
}

void RadialBasis::at(double r, double contact, std::span<double> values, std::span<double> derivatives) const {
  if (r >= cutoff_) {
    std::fill(values.begin(), values.end(), 0.0);
    std::fill(derivatives.begin(), derivatives.end(), 0.0);
    return;
  }
  const Envelope envelope = polynomial_envelope(r, cutoff_, power_);
  const Value x = transformed(r, contact);
  const bool slopes = !derivatives.empty();
  for (std::size_t n = 0; n < points_.size(); ++n) {
    const Value f = function(n, x.value);
    values[n] = envelope_apart_ ? f.value : f.value * envelope.value;
    if (slopes)
      derivatives[n] = envelope_apart_ ? f.slope * x.slope
                                       : f.slope * x.slope * envelope.value + f.value * envelope.derivative;
  }
  if (!envelope_apart_) return;
  values[points_.size()] = envelope.value;
  if (slopes) derivatives[points_.size()] = envelope.derivative;
}

}  // namespace tamiz
