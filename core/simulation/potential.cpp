#include "tamiz/core/simulation/potential.hpp"

#include <algorithm>

#include "tamiz/core/base/error.hpp"

namespace tamiz {

Prediction evaluate(const Potential& potential, std::span<const Structure> structures, const Outputs& outputs) {
  const Batch batch(structures);
  require_species(potential, batch.species());
  const State state = State::of(structures);
  // One call has no second step that a skin could serve.
  const NeighborRequest request{potential.neighbors().cutoff, 0.0};
  return potential.evaluate(batch, state, build_neighbors(batch, state, request), outputs);
}

void require_species(const Potential& potential, std::span<const Element> species) {
  const std::vector<Element> known = potential.capabilities().elements;
  if (known.empty()) return;
  for (const Element element : species) {
    if (std::find(known.begin(), known.end(), element) != known.end()) continue;
    std::string list;
    for (const Element each : known) list += (list.empty() ? "" : ", ") + std::string(each.symbol());
    throw SpeciesError(std::string(element.symbol()) + " is unknown to " + potential.name() + ", which knows " + list);
  }
}

}  // namespace tamiz
