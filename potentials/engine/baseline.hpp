#pragma once

#include <optional>
#include <vector>

#include "tamiz/core/base/math.hpp"
#include "tamiz/potentials/engine/radial/cohesion.hpp"
#include "tamiz/potentials/engine/radial/difference.hpp"
#include "tamiz/potentials/engine/radial/pair_repulsion.hpp"

namespace tamiz {

/// What the parts of a model without trained weights give to an atom.
struct AtomBaseline {
  double energy = 0.0;          ///< [eV]
  Vec3 force = Vec3::Zero();    ///< [eV/Å]
  Mat3 virial = Mat3::Zero();   ///< its part of dE/dε [eV]
};

/// The parts of a model that lie under its network and are not trained: the repulsion of nuclei that come close and the cohesion of atoms that
/// are torn apart. Edges of a structure come as
///
///     int element(std::size_t atom) const;                                             // place in the description
///     template <typename Use> void for_each(std::size_t atom, const Use& use) const;   // use(neighbour, r_neighbour − r_atom [Å])
///
/// with every pair in both directions. Work is done atom by atom, in two rounds, so that threads can share it.
class Baseline {
 public:
  explicit Baseline(const ModelDescription& description)
      : repulsion_(repulsion_of(description)), cohesion_(cohesion_of(description)) {}

  /// The model has none of these parts.
  bool empty() const { return !repulsion_ && !cohesion_; }
  /// Whether slopes of the first round are other than 0.
  bool has_slopes() const { return cohesion_.has_value(); }

  /// First round: dE_i/dn_i of an atom, and its energy of cohesion into `atom`.
  template <typename Edges>
  double begin(const Edges& edges, std::size_t i, AtomBaseline& atom) const;
  /// Second round, which needs the slopes of the first of all atoms.
  template <typename Edges>
  void finish(const Edges& edges, std::size_t i, const std::vector<double>& slopes, AtomBaseline& atom) const;

  /// Along a direction of all positions. First round: the change of dE_i/dn_i of an atom.
  template <typename Edges>
  double begin_tangent(const Edges& edges, std::size_t i, const std::vector<Vec3>& direction) const;
  /// Second round: the change of its force.
  template <typename Edges>
  Vec3 force_tangent(const Edges& edges, std::size_t i, const std::vector<double>& slopes,
                     const std::vector<double>& changes, const std::vector<Vec3>& direction) const;

 private:
  template <typename Edges>
  static std::size_t place(const Edges& edges, std::size_t i) {
    return static_cast<std::size_t>(edges.element(i));
  }

  std::optional<PairRepulsion> repulsion_;
  std::optional<Cohesion> cohesion_;
};

template <typename Edges>
double Baseline::begin(const Edges& edges, std::size_t i, AtomBaseline& atom) const {
  if (!cohesion_) return 0.0;
  double density = 0.0;
  edges.for_each(i, [&](std::size_t j, const Vec3& d) {
    density += cohesion_->density(place(edges, i), place(edges, j), d.norm()).value;
  });
  const Cohesion::Curve energy = cohesion_->energy(place(edges, i), density);
  atom.energy += energy.value;
  return energy.slope;
}

template <typename Edges>
void Baseline::finish(const Edges& edges, std::size_t i, const std::vector<double>& slopes, AtomBaseline& atom) const {
  edges.for_each(i, [&](std::size_t j, const Vec3& d) {
    const double r = d.norm();
    double full = 0.0, own = 0.0;  // slopes by r: of all that the pair gives, and of what of it is this atom's
    if (repulsion_) {
      const Radial u = repulsion_->pair(place(edges, i), place(edges, j), r);
      atom.energy += 0.5 * u.value;
      full = u.slope;
      own = 0.5 * u.slope;
    }
    if (cohesion_) {
      const double slope = cohesion_->density(place(edges, i), place(edges, j), r).slope;
      full += (slopes[i] + slopes[j]) * slope;
      own += slopes[i] * slope;
    }
    atom.force += (full / r) * d;
    atom.virial += (own / r) * d * d.transpose();
  });
}

template <typename Edges>
double Baseline::begin_tangent(const Edges& edges, std::size_t i, const std::vector<Vec3>& direction) const {
  if (!cohesion_) return 0.0;
  double density = 0.0, change = 0.0;
  edges.for_each(i, [&](std::size_t j, const Vec3& d) {
    const double r = d.norm();
    const Cohesion::Curve part = cohesion_->density(place(edges, i), place(edges, j), r);
    density += part.value;
    change += part.slope * d.dot(direction[j] - direction[i]) / r;
  });
  return cohesion_->energy(place(edges, i), density).curvature * change;
}

template <typename Edges>
Vec3 Baseline::force_tangent(const Edges& edges, std::size_t i, const std::vector<double>& slopes,
                             const std::vector<double>& changes, const std::vector<Vec3>& direction) const {
  Vec3 force = Vec3::Zero();
  edges.for_each(i, [&](std::size_t j, const Vec3& d) {
    const std::size_t a = place(edges, i), b = place(edges, j);
    const double r = d.norm();
    const Vec3 unit = d / r, move = direction[j] - direction[i];
    const double along = unit.dot(move);
    double slope = 0.0, change = 0.0;
    if (repulsion_) {
      slope = repulsion_->pair(a, b, r).slope;
      difference([&](double shift, double weight) { change += weight * along * repulsion_->pair(a, b, r + shift).slope; });
    }
    if (cohesion_) {
      const Cohesion::Curve part = cohesion_->density(a, b, r);
      slope += (slopes[i] + slopes[j]) * part.slope;
      change += (slopes[i] + slopes[j]) * part.curvature * along + (changes[i] + changes[j]) * part.slope;
    }
    force += change * unit + slope / r * (move - along * unit);
  });
  return force;
}

}  // namespace tamiz
