#include "tamiz/potentials/engine/classical/stillinger_weber.hpp"

#include <algorithm>
#include <cmath>

#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/engine/classical/radial.hpp"

namespace tamiz {
namespace {

void check(const StillingerWeber::Parameters& p) {
  const std::size_t n = p.elements.size();
  if (p.pairs.size() != n * n || p.triplets.size() != n * n * n)
    throw ShapeError("expected stillinger-weber parameters for every pair and triplet of the elements");
  for (const auto& pair : p.pairs) {
    const bool positive = pair.sigma > 0.0 && pair.a > 0.0 && pair.gamma > 0.0 && pair.epsilon >= 0.0;
    if (!positive || !std::isfinite(pair.sigma * pair.a))
      throw UnitError("sigma, a and gamma must be above 0 and epsilon not below 0 ev");
  }
  for (const auto& triplet : p.triplets)
    if (!(triplet.strength >= 0.0) || !(std::abs(triplet.cos_theta0) <= 1.0))
      throw UnitError("lambda must not be below 0 and cos_theta0 must lie within -1 and 1");
}

/// Pair term at r < aσ.
Radial pair_term(const StillingerWeber::Pair& pair, double r) {
  const double x = pair.sigma / r;
  const double gap = r - pair.a * pair.sigma;  // negative
  const double tail = std::exp(pair.sigma / gap);
  const double repulsion = pair.big_b * std::pow(x, pair.p), attraction = std::pow(x, pair.q);
  const double scale = pair.big_a * pair.epsilon * tail;
  const double slope = (pair.q * attraction - pair.p * repulsion) / r - (repulsion - attraction) * pair.sigma / (gap * gap);
  return {scale * (repulsion - attraction), scale * slope};
}

/// exp(γσ/(r − aσ)) at r < aσ.
Radial leg(const StillingerWeber::Pair& pair, double r) {
  const double gap = r - pair.a * pair.sigma;
  const double value = std::exp(pair.gamma * pair.sigma / gap);
  return {value, -value * pair.gamma * pair.sigma / (gap * gap)};
}

/// One neighbour of the central atom within its pair's reach.
struct Leg {
  std::size_t atom, type;
  Vec3 unit;
  double r;
  Radial decay;
};

struct Sums {
  Coordinates forces;
  std::vector<double> energies;
  std::vector<Mat3> virials;
};

void add_triple(const StillingerWeber::Triplet& triplet, std::size_t i, std::size_t s, const Leg& j, const Leg& k, Sums& sums) {
  const double cosine = j.unit.dot(k.unit);
  const double delta = cosine - triplet.cos_theta0;
  const double angular = triplet.strength * delta * delta;
  const double by_cosine = 2.0 * triplet.strength * delta * j.decay.value * k.decay.value;
  sums.energies[i] += angular * j.decay.value * k.decay.value;
  // Gradients by the vectors from i to j and from i to k; ∂cos/∂r_ij = (r̂_ik − cos·r̂_ij)/r_ij.
  const Vec3 gj = by_cosine / j.r * (k.unit - cosine * j.unit) + angular * j.decay.slope * k.decay.value * j.unit;
  const Vec3 gk = by_cosine / k.r * (j.unit - cosine * k.unit) + angular * k.decay.slope * j.decay.value * k.unit;
  sums.forces.row(static_cast<Eigen::Index>(j.atom)) -= gj.transpose();
  sums.forces.row(static_cast<Eigen::Index>(k.atom)) -= gk.transpose();
  sums.forces.row(static_cast<Eigen::Index>(i)) += (gj + gk).transpose();
  sums.virials[s] += gj * (j.r * j.unit).transpose() + gk * (k.r * k.unit).transpose();
}

}  // namespace

StillingerWeber::StillingerWeber(Parameters parameters)
    : parameters_(std::move(parameters)), species_(parameters_.elements) {
  check(parameters_);
  for (const Pair& pair : parameters_.pairs) cutoff_ = std::max(cutoff_, pair.a * pair.sigma);
}

Capabilities StillingerWeber::capabilities() const {
  return {.stress = true, .atom_energies = true, .n_members = 0, .elements = parameters_.elements};
}

Prediction StillingerWeber::evaluate(const Batch& batch, const State& state, const NeighborList& neighbors,
                                     const Outputs& outputs) const {
  check_evaluation(*this, batch, state, neighbors, outputs);
  const std::vector<std::size_t> types = species_.of(batch.species());
  const std::size_t n = species_.size();
  Sums sums{Coordinates::Zero(static_cast<Eigen::Index>(batch.n_atoms()), 3), std::vector<double>(batch.n_atoms(), 0.0),
            std::vector<Mat3>(batch.n_structures(), Mat3::Zero())};
  std::vector<Leg> legs;
  for (std::size_t i = 0; i < batch.n_atoms(); ++i) {
    const auto s = static_cast<std::size_t>(batch.owners()[i]);
    legs.clear();
    for (std::size_t p = neighbors.first()[i]; p < neighbors.first()[i + 1]; ++p) {
      const auto atom = static_cast<std::size_t>(neighbors.neighbors()[p]);
      const Pair& pair = parameters_.pairs[types[i] * n + types[atom]];
      const Vec3 d = neighbors.vector(p, batch, state);
      const double r = d.norm();
      check_distance(r, i);
      if (r >= pair.a * pair.sigma) continue;
      legs.push_back({atom, types[atom], d / r, r, leg(pair, r)});
      const Radial u = pair_term(pair, r);
      sums.energies[i] += 0.5 * u.value;
      sums.forces.row(static_cast<Eigen::Index>(i)) += u.slope * legs.back().unit.transpose();
      sums.virials[s] += (0.5 * u.slope / r) * d * d.transpose();
    }
    for (std::size_t j = 0; j < legs.size(); ++j)
      for (std::size_t k = j + 1; k < legs.size(); ++k) {
        const Triplet& triplet = parameters_.triplets[(types[i] * n + legs[j].type) * n + legs[k].type];
        if (triplet.strength > 0.0) add_triple(triplet, i, s, legs[j], legs[k], sums);
      }
  }
  Prediction prediction = empty_prediction(batch, outputs);
  if (outputs.forces) prediction.forces = std::move(sums.forces);
  finish(prediction, batch, state, outputs, sums.energies, sums.virials);
  return prediction;
}

}  // namespace tamiz
