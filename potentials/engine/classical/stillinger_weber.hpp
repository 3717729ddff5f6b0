#pragma once

#include <string>
#include <vector>

#include "tamiz/potentials/engine/classical/species_table.hpp"

namespace tamiz {

/// Stillinger and Weber 1985 (doi:10.1103/PhysRevB.31.5262), for any number of elements:
///   E = Σ_{i<j} A ε (B (σ/r)^p − (σ/r)^q) exp(σ/(r − aσ))
///     + Σ_i Σ_{j<k} λ ε (cos θ_jik − cos θ₀)² exp(γ_ij σ_ij/(r_ij − a_ij σ_ij) + γ_ik σ_ik/(r_ik − a_ik σ_ik)),
/// pair terms within aσ of the pair, triple terms within aσ of both legs. All derivatives vanish at aσ.
class StillingerWeber : public Potential {
 public:
  struct Pair {
    double epsilon = 0.0;  ///< [eV]
    double sigma = 0.0;    ///< [Å], > 0
    double a = 0.0;        ///< cutoff in units of σ, > 0
    double big_a = 0.0, big_b = 0.0, p = 0.0, q = 0.0;
    double gamma = 0.0;    ///< of this leg in the triple terms, > 0
  };
  struct Triplet {
    double strength = 0.0;   ///< λ ε [eV]; 0: no triple term
    double cos_theta0 = 0.0; ///< within [−1, 1]
  };
  struct Parameters {
    std::string name = "stillinger-weber";
    std::vector<Element> elements;
    std::vector<Pair> pairs;        ///< (n, n), symmetric, in the order of `elements`
    std::vector<Triplet> triplets;  ///< (n, n, n): centre, then two ends, symmetric in the ends
  };
  /// Throws UnitError for a parameter outside its range, ShapeError for a table of another size.
  explicit StillingerWeber(Parameters parameters);

  std::string name() const override { return parameters_.name; }
  Capabilities capabilities() const override;
  NeighborRequest neighbors() const override { return {cutoff_, 0.5}; }
  Prediction evaluate(const Batch& batch, const State& state, const NeighborList& neighbors,
                      const Outputs& outputs) const override;

 private:
  Parameters parameters_;
  SpeciesTable species_;
  double cutoff_ = 0.0;
};

}  // namespace tamiz
