#include "tamiz/potentials/engine/radial/radial_input.hpp"

#include <algorithm>

namespace tamiz {

RadialInput::RadialInput(const ModelDescription& d) : basis_(d), by_pair_(d.distance_transform != "none") {
  if (d.radial_nodes > 0) spline_.emplace(d.cutoff, d.radial_nodes);
  if (!by_pair_) {
    contacts_ = {1.0};  // not read
    return;
  }
  for (std::size_t b = 0; b < d.elements.size(); ++b)
    for (std::size_t a = 0; a <= b; ++a) contacts_.push_back(d.elements[a].covalent_radius() + d.elements[b].covalent_radius());
}

std::size_t RadialInput::table_of(std::int32_t a, std::int32_t b) const {
  if (!by_pair_) return 0;
  const auto low = static_cast<std::size_t>(std::min(a, b)), high = static_cast<std::size_t>(std::max(a, b));
  return high * (high + 1) / 2 + low;
}

std::int32_t RadialInput::at(double r, std::int32_t a, std::int32_t b, std::span<double> values,
                             std::span<double> slopes) const {
  const std::size_t table = table_of(a, b);
  if (!spline_) {
    basis_.at(r, contacts_[table], values, slopes);
    return 0;
  }
  const RadialSpline::Weights weights = spline_->at(r);
  std::copy(weights.values.begin(), weights.values.end(), values.begin());
  std::copy(weights.slopes.begin(), weights.slopes.end(), slopes.begin());
  return weights.first + static_cast<std::int32_t>(table) * spline_->n_coefficients();
}

std::vector<double> RadialInput::basis_at_nodes() const {
  const auto width = static_cast<std::size_t>(basis_.size());
  std::vector<double> values(contacts_.size() * spline_->nodes().size() * width);
  std::size_t row = 0;
  for (const double contact : contacts_)
    for (const double r : spline_->nodes()) basis_.at(r, contact, std::span(values).subspan(width * row++, width));
  return values;
}

}  // namespace tamiz
