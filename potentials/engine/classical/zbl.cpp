#include "tamiz/potentials/engine/classical/zbl.hpp"

#include <array>
#include <cmath>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/units.hpp"

namespace tamiz {
namespace {

constexpr double k_coulomb = units::k_hartree * units::k_bohr;  // e²/(4πε₀) [eV·Å]
constexpr std::array<double, 4> k_weights{0.18175, 0.50986, 0.28022, 0.02817};
constexpr std::array<double, 4> k_decays{3.19980, 0.94229, 0.40290, 0.20162};

}  // namespace

Zbl::Zbl(Parameters parameters)
    : PairPotential(SpeciesTable(parameters.elements), parameters.outer), parameters_(std::move(parameters)) {
  if (!(parameters_.inner >= 0.0 && parameters_.outer > parameters_.inner) || !std::isfinite(parameters_.outer))
    throw UnitError("expected 0 <= inner < outer [Å]");
}

Radial Zbl::pair(std::size_t a, std::size_t b, double r) const {
  const double za = species().elements()[a].number(), zb = species().elements()[b].number();
  const double length = 0.46850 / (std::pow(za, 0.23) + std::pow(zb, 0.23));
  const Radial phi = screening(k_weights, k_decays, r / length);
  const double charge = k_coulomb * za * zb / r;
  return switched({charge * phi.value, charge * (phi.slope / length - phi.value / r)}, r, parameters_.inner, parameters_.outer);
}

}  // namespace tamiz
