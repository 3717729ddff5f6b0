#include "tamiz/potentials/engine/classical/lennard_jones.hpp"

#include <cmath>

#include "tamiz/core/base/error.hpp"

namespace tamiz {
namespace {

Radial bare(const LennardJones::Pair& pair, double r) {
  const double x = pair.sigma / r;
  const double x6 = x * x * x * x * x * x;
  return {4.0 * pair.epsilon * x6 * (x6 - 1.0), -24.0 * pair.epsilon * x6 * (2.0 * x6 - 1.0) / r};
}

void check(const LennardJones::Parameters& p) {
  if (p.pairs.size() != p.elements.size() * p.elements.size())
    throw ShapeError("expected one Lennard-Jones pair for each two elements");
  if (!(p.cutoff > 0.0) || !std::isfinite(p.cutoff)) throw UnitError("the cutoff must be above 0 Å");
  if (p.smoothing == LennardJones::Smoothing::switched && !(p.switch_width > 0.0 && p.switch_width <= p.cutoff))
    throw UnitError("switch_width must be above 0 and at most the cutoff");
  for (const LennardJones::Pair& pair : p.pairs)
    if (!(pair.sigma > 0.0) || !(pair.epsilon >= 0.0) || !std::isfinite(pair.sigma) || !std::isfinite(pair.epsilon))
      throw UnitError("sigma must be above 0 Å and epsilon not below 0 eV");
}

}  // namespace

LennardJones::LennardJones(Parameters parameters)
    : PairPotential(SpeciesTable(parameters.elements), parameters.cutoff), parameters_(std::move(parameters)) {
  check(parameters_);
  for (const Pair& each : parameters_.pairs) at_cutoff_.push_back(bare(each, parameters_.cutoff));
}

Radial LennardJones::pair(std::size_t a, std::size_t b, double r) const {
  const std::size_t index = a * species().size() + b;
  const Radial u = bare(parameters_.pairs[index], r);
  if (parameters_.smoothing == Smoothing::switched)
    return switched(u, r, parameters_.cutoff - parameters_.switch_width, parameters_.cutoff);
  const Radial& end = at_cutoff_[index];
  return {u.value - end.value - (r - parameters_.cutoff) * end.slope, u.slope - end.slope};
}

}  // namespace tamiz
