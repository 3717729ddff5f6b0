#pragma once

#include <string>
#include <vector>

#include "tamiz/potentials/engine/classical/pair_potential.hpp"

namespace tamiz {

/// Universal screened repulsion of nuclei (Ziegler, Biersack, Littmark, The Stopping and Range of Ions in
/// Matter, 1985): Z_i Z_j e²/(4πε₀ r)·φ(r/a), a = 0.46850/(Z_i^0.23 + Z_j^0.23) Å, multiplied by a quintic
/// switch from `inner` to `outer`.
class Zbl : public PairPotential {
 public:
  struct Parameters {
    std::string name = "zbl";
    std::vector<Element> elements;
    double inner = 0.0;  ///< [Å], where the switch begins, >= 0
    double outer = 0.0;  ///< [Å], where the repulsion ends, > inner
  };
  /// Throws UnitError unless 0 <= inner < outer.
  explicit Zbl(Parameters parameters);

  std::string name() const override { return parameters_.name; }
  Radial pair(std::size_t a, std::size_t b, double r) const override;

 private:
  Parameters parameters_;
};

}  // namespace tamiz
