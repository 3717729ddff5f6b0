#pragma once

#include <string>
#include <vector>

#include "tamiz/potentials/engine/classical/pair_potential.hpp"

namespace tamiz {

/// u(r) = 4ε((σ/r)¹² − (σ/r)⁶), ended smoothly at the cutoff. One ε and σ for each pair of elements.
class LennardJones : public PairPotential {
 public:
  enum class Smoothing {
    switched,       ///< quintic switch over the last `switch_width`: force and its slope go to zero
    shifted_force,  ///< u(r) − u(r_c) − (r − r_c)·u'(r_c): force goes to zero; changes u everywhere
  };
  struct Pair {
    double epsilon = 0.0;  ///< [eV]
    double sigma = 0.0;    ///< [Å], > 0
  };
  struct Parameters {
    std::string name = "lennard-jones";
    std::vector<Element> elements;
    std::vector<Pair> pairs;  ///< (n, n), row-major in the order of `elements`, symmetric
    double cutoff = 0.0;      ///< [Å]
    double switch_width = 1.0;  ///< [Å], 0 < switch_width <= cutoff; only for `switched`
    Smoothing smoothing = Smoothing::switched;
  };
  /// Throws UnitError for a parameter outside its range, ShapeError for another number of pairs than n².
  explicit LennardJones(Parameters parameters);

  std::string name() const override { return parameters_.name; }
  Radial pair(std::size_t a, std::size_t b, double r) const override;

 private:
  Parameters parameters_;
  std::vector<Radial> at_cutoff_;
};

}  // namespace tamiz
