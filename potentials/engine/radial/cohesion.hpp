#pragma once

#include <optional>
#include <vector>

#include "tamiz/potentials/engine/model_description.hpp"

namespace tamiz {

/// The energy that an atom loses where it is torn out of its surroundings, under a MACE model whose reference energies are those of isolated
/// atoms (docs/theory.md, eq. 7h): E_i = c_{z_i} s(n_i) with a density n_i = Σ_j f(r_ij) of neighbours and s(n) = 1 − e^(−n/n₀). In a
/// crystal s is nearly 1, so that the network only has to say how crystals differ. The c are fitted to compounds.
class Cohesion {
 public:
  /// `description.cohesion` must not be empty.
  explicit Cohesion(const ModelDescription& description);

  /// What changes with a distance or a density: value, first and second derivative.
  struct Curve {
    double value = 0.0, slope = 0.0, curvature = 0.0;
  };
  /// f of elements a and b (places in the description) at r [Å]: 1 at 0, zero with two derivatives at `reach(a, b)`.
  Curve density(std::size_t a, std::size_t b, double r) const;
  /// c s(n) of an atom of element a [eV].
  Curve energy(std::size_t a, double density) const;
  /// [Å]
  double reach(std::size_t a, std::size_t b) const;

 private:
  std::vector<double> energies_, radii_;
  double cutoff_;
};

/// The cohesion of a model; nothing where it has none.
std::optional<Cohesion> cohesion_of(const ModelDescription& description);

}  // namespace tamiz
