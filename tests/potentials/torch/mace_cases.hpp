#pragma once

#include <ostream>
#include <vector>

#include "tamiz/core/base/philox.hpp"
#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/potentials/engine/model_parameters.hpp"
#include "tamiz/potentials/engine/torch_backend.hpp"

/// Small models and structures that the MACE tests share.
namespace tamiz::mace_cases {

inline ModelDescription small_description(int hidden_l, int correlation = 3, int radial_nodes = 64) {
  ModelDescription d;
  d.elements = {Element(7), Element(12), Element(14)};
  d.cutoff = 4.0;
  d.l_max = 3;
  d.hidden_l = hidden_l;
  d.correlation = correlation;
  d.channels = 8;
  d.radial_mlp = {16, 16};
  d.radial_nodes = radial_nodes;
  d.readout_hidden = 6;
  d.n_members = 3;
  d.average_neighbors = 20.0;
  d.atomic_energies = {-8.0, -1.0, -5.0};
  d.scale = 0.7;
  d.shift = 0.1;
  d.repulsion = 1.0;
  return d;
}

/// What a test's name says of a shape.
inline void print_shape(const ModelDescription& d, std::ostream* out) {
  *out << "l" << d.hidden_l << " order" << d.correlation << " nodes" << d.radial_nodes << ' ' << d.radial_basis << ' '
       << d.distance_transform << (d.envelope_on_weights ? " apart" : "");
  for (const std::string& block : d.blocks) *out << ' ' << block;
}

inline std::unique_ptr<Potential> potential_of(const ModelFile& model, const std::string& dtype = "float64",
                                               int threads = 1) {
  return torch_backend().make_potential(model, {.dtype = dtype, .device = "cpu", .threads = threads});
}

/// A triclinic cell of `n` atoms, shorter than the cutoff for n <= 4; left-handed where asked.
inline Structure triclinic(std::size_t n, std::uint64_t seed, bool left_handed = false) {
  Philox random(seed, streams::k_crystals, n, 0);
  const double edge = 2.6 * std::cbrt(static_cast<double>(n));
  Mat3 cell;
  cell << edge, 0.3, -0.4, 0.9, edge, 0.2, -0.6, 0.5, 1.1 * edge;
  if (left_handed) cell.row(0) *= -1.0;
  Coordinates fractional(static_cast<Eigen::Index>(n), 3);
  const std::vector<int> numbers{7, 12, 14};
  std::vector<Element> species;
  for (std::size_t i = 0; i < n; ++i) {
    species.emplace_back(numbers[random.below(3)]);
    for (int d = 0; d < 3; ++d) fractional(static_cast<Eigen::Index>(i), d) = random.uniform();
  }
  return Structure(Lattice(cell), k_periodic, species, Fractional{fractional});
}

/// A description with what `change` does to it.
inline ModelDescription with(ModelDescription d, const auto& change) {
  change(d);
  return d;
}

}  // namespace tamiz::mace_cases

namespace tamiz {
inline void PrintTo(const ModelDescription& d, std::ostream* out) { mace_cases::print_shape(d, out); }
}  // namespace tamiz
