#include "tamiz/potentials/engine/radial/cohesion.hpp"

#include <algorithm>
#include <cmath>

namespace tamiz {
namespace {

/// In contacts, the sums of the covalent radii: bonds of compounds and metals are about one long, and the next neighbours count little.
constexpr double k_reach = 2.0;
/// n₀: a bond gives about 0.3, so that one of them holds two thirds of the energy and four all but a fiftieth.
constexpr double k_density = 0.3;

}  // namespace

Cohesion::Cohesion(const ModelDescription& description) : energies_(description.cohesion), cutoff_(description.cutoff) {
  for (const Element element : description.elements) radii_.push_back(element.covalent_radius());
}

double Cohesion::reach(std::size_t a, std::size_t b) const { return std::min(k_reach * (radii_[a] + radii_[b]), cutoff_); }

Cohesion::Curve Cohesion::density(std::size_t a, std::size_t b, double r) const {
  const double reach = this->reach(a, b), x = r / reach, rest = 1.0 - x;
  if (rest <= 0.0) return {};
  return {rest * rest * rest * (1.0 + 3.0 * x), -12.0 * x * rest * rest / reach,
          -12.0 * rest * (1.0 - 3.0 * x) / (reach * reach)};
}

Cohesion::Curve Cohesion::energy(std::size_t a, double density) const {
  const double rest = std::exp(-density / k_density), slope = energies_[a] * rest / k_density;
  return {energies_[a] * (1.0 - rest), slope, -slope / k_density};
}

std::optional<Cohesion> cohesion_of(const ModelDescription& description) {
  if (description.cohesion.empty()) return std::nullopt;
  return Cohesion(description);
}

}  // namespace tamiz
