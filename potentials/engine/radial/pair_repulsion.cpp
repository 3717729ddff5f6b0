#include "tamiz/potentials/engine/radial/pair_repulsion.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "tamiz/potentials/engine/radial/envelope.hpp"

namespace tamiz {
namespace {

// mace-torch rounds these; a model that was trained with them keeps them.
constexpr double k_coulomb = 14.3996;  // e²/(4πε₀) [eV·Å]
constexpr double k_bohr = 0.529;       // [Å]
constexpr std::array<double, 4> k_decays{3.2, 0.9423, 0.4028, 0.2016};

double longest_contact(const ModelDescription& description) {
  double radius = 0.0;
  for (const Element element : description.elements) radius = std::max(radius, element.covalent_radius());
  return std::min(2.0 * radius, description.cutoff);
}

}  // namespace

PairRepulsion::PairRepulsion(const ModelDescription& description)
    : PairPotential(SpeciesTable(description.elements), longest_contact(description)),
      factor_(description.repulsion),
      exponent_(description.repulsion_exponent),
      prefactor_(description.repulsion_prefactor),
      power_(description.repulsion_power) {}

Radial PairRepulsion::pair(std::size_t a, std::size_t b, double r) const {
  const Element ea = species().elements()[a], eb = species().elements()[b];
  const double contact = ea.covalent_radius() + eb.covalent_radius();
  if (r >= contact) return {};
  const double za = ea.number(), zb = eb.number();
  const double length = prefactor_ * k_bohr / (std::pow(za, exponent_) + std::pow(zb, exponent_));
  const Radial phi = screening(k_zbl_shares, k_decays, r / length);
  const double charge = factor_ * k_coulomb * za * zb / r;
  const Envelope envelope = polynomial_envelope(r, contact, power_);
  return {charge * phi.value * envelope.value,
          charge * ((phi.slope / length - phi.value / r) * envelope.value + phi.value * envelope.derivative)};
}

std::optional<PairRepulsion> repulsion_of(const ModelDescription& description) {
  if (description.repulsion == 0.0) return std::nullopt;
  return PairRepulsion(description);
}

}  // namespace tamiz
