#include "tamiz/core/structure/batch.hpp"

namespace tamiz {

Batch::Batch(std::span<const Structure> structures) {
  for (std::size_t s = 0; s < structures.size(); ++s) {
    for (const Element element : structures[s].species()) {
      species_.push_back(element);
      masses_.push_back(element.mass());
      owners_.push_back(static_cast<std::int32_t>(s));
    }
    offsets_.push_back(species_.size());
    periodicity_.push_back(structures[s].periodicity());
  }
}

std::span<const Element> Batch::species(std::size_t s) const {
  return std::span(species_).subspan(offsets_[s], offsets_[s + 1] - offsets_[s]);
}

State State::of(std::span<const Structure> structures) {
  State state;
  std::size_t n_atoms = 0;
  for (const Structure& structure : structures) n_atoms += structure.size();
  state.positions.resize(static_cast<Eigen::Index>(n_atoms), 3);
  Eigen::Index row = 0;
  for (const Structure& structure : structures) {
    const auto n = static_cast<Eigen::Index>(structure.size());
    state.positions.middleRows(row, n) = structure.positions();
    state.cells.push_back(structure.lattice().rows());
    row += n;
  }
  return state;
}

Structure structure_of(const Batch& batch, const State& state, std::size_t s) {
  const auto species = batch.species(s);
  const auto begin = static_cast<Eigen::Index>(batch.offsets()[s]);
  return Structure(Lattice(state.cells[s]), batch.periodicity(s), {species.begin(), species.end()},
                   Cartesian{state.positions.middleRows(begin, static_cast<Eigen::Index>(species.size()))});
}

}  // namespace tamiz
