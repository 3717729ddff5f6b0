#include "tamiz/screening/campaign/correction.hpp"

namespace tamiz {

double AnionCorrection::per_atom_of(const Composition& composition) const {
  if (composition.counts().size() < 2) return 0.0;
  double total = 0.0;
  for (const auto& [element, energy] : per_atom) total += composition.count(element) * energy;
  return total / composition.n_atoms();
}

const AnionCorrection& mp2020_correction() {
  static const AnionCorrection correction{
      "MP2020 correction of nitrogen", "Wang et al. 2021, doi:10.1038/s41598-021-94550-5", {{Element(7), -0.361}}};
  return correction;
}

}  // namespace tamiz
