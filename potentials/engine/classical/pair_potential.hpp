#pragma once

#include "tamiz/potentials/engine/classical/radial.hpp"
#include "tamiz/potentials/engine/classical/species_table.hpp"

namespace tamiz {

/// Energy as a sum over pairs of a function of their distance. The bits of a structure's result do not depend
/// on its batch or on the skin.
class PairPotential : public Potential {
 public:
  Capabilities capabilities() const override;
  NeighborRequest neighbors() const override { return {cutoff_, k_skin}; }
  Prediction evaluate(const Batch& batch, const State& state, const NeighborList& neighbors,
                      const Outputs& outputs) const override;

  /// Energy of one pair of species (places in the table) at 0 < r < cutoff [Å].
  virtual Radial pair(std::size_t a, std::size_t b, double r) const = 0;

 protected:
  PairPotential(SpeciesTable species, double cutoff) : species_(std::move(species)), cutoff_(cutoff) {}
  const SpeciesTable& species() const { return species_; }
  double cutoff() const { return cutoff_; }

 private:
  static constexpr double k_skin = 0.5;  // [Å], lists cost more than forces here

  SpeciesTable species_;
  double cutoff_;
};

}  // namespace tamiz
