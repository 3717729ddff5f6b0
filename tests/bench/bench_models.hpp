#pragma once

#include <vector>

#include "tamiz/core/base/philox.hpp"
#include "tamiz/potentials/engine/equivariance/spherical_harmonics.hpp"
#include "tamiz/potentials/engine/mace/layer_plan.hpp"
#include "tamiz/potentials/engine/model_parameters.hpp"
#include "tamiz/tests/support/crystals.hpp"

/// Models and structures that the benchmarks share.
namespace tamiz::bench {

/// The shape of published MACE models: 128 channels, l_max 3, correlation 3, two layers, 6 Å, 89 elements.
inline ModelDescription published_shape(int hidden_l, int radial_nodes = 128) {
  ModelDescription d;
  for (int z = 1; z <= 89; ++z) d.elements.emplace_back(z);
  d.atomic_energies.assign(d.elements.size(), 0.0);
  d.cutoff = 6.0;
  d.channels = 128;
  d.hidden_l = hidden_l;
  d.n_members = 1;
  d.radial_nodes = radial_nodes;
  d.average_neighbors = 50.0;
  // Random weights with small forces, so that a relaxation with them walks on instead of exploding.
  d.scale = 0.02;
  return d;
}

/// The same with few channels and elements: to see that a benchmark runs.
inline ModelDescription small_shape() {
  ModelDescription d = published_shape(0);
  d.elements = {Element(7), Element(12), Element(14), Element(20), Element(30), Element(31)};
  d.atomic_energies.assign(d.elements.size(), 0.0);
  d.channels = 16;
  return d;
}

inline Structure rattled(const Structure& structure, std::uint64_t seed) {
  Coordinates positions = structure.positions();
  Philox random(seed, streams::k_crystals, 0, 0);
  for (Eigen::Index k = 0; k < positions.size(); ++k) positions.data()[k] += 0.03 * random.normal();
  return structure.with_positions(Cartesian{positions});
}

/// Rattled silicon of 8·n³ atoms.
inline Structure silicon(int n) {
  using test_support::Site;
  const std::vector<Site> sites{{"Si", {0, 0, 0}},          {"Si", {0, 0.5, 0.5}},       {"Si", {0.5, 0, 0.5}},
                                {"Si", {0.5, 0.5, 0}},      {"Si", {0.25, 0.25, 0.25}},  {"Si", {0.25, 0.75, 0.75}},
                                {"Si", {0.75, 0.25, 0.75}}, {"Si", {0.75, 0.75, 0.25}}};
  return rattled(test_support::crystal(test_support::cubic(5.431), sites).supercell({n, n, n}), 1);
}

/// 24 rattled crystals of 2 to 15 atoms.
inline std::vector<Structure> small_cells() {
  using namespace test_support;
  const std::vector<Structure> crystals{diamond(), zincblende(), rocksalt(), caesium_chloride(), wurtzite(), magnesium(),
                                        calcium_zinc_nitride(), zincblende()};
  const std::vector<std::array<int, 3>> multiples{{1, 1, 1}, {2, 1, 1}, {1, 1, 3}};
  std::vector<Structure> cells;
  for (const auto& [a, b, c] : multiples)
    for (const Structure& crystal : crystals) cells.push_back(rattled(crystal.supercell({a, b, c}), cells.size()));
  return cells;
}

/// Multiply-adds of an atom with `neighbors` for energy, forces and stress, as the kernels do them.
inline double operations(const ModelDescription& d, double neighbors) {
  const double c = d.channels;
  double total = 0.0;
  for (const InteractionShape& shape : interaction_shapes(d)) {
    const mace::ConvolutionPlan<float> plan(shape.input_l, d.l_max, d.channels);
    const mace::ContractionPlan contraction(d.l_max, shape.output_l, d.correlation, d.channels);
    const double paths = static_cast<double>(plan.paths.size()), links = plan.n_links;
    double rows = 0.0;  // of the matrices, in units of c·c
    for (std::size_t l = 0; l < plan.slots.size(); ++l) rows += (2.0 * static_cast<double>(l) + 1.0) * plan.slots[l];
    rows += n_harmonics(shape.output_l) + (shape.residual ? 1.0 : 0.0);
    double products = 0.0;  // of radial weights with features
    for (const auto& path : plan.paths) products += 2 * path.l1 + 1;
    const bool first = shape.input_l == 0 && !shape.residual;
    if (!first) rows += n_harmonics(shape.input_l);
    const double forth = 4.0 * paths + products + links;
    const double back = 8.0 * paths + 2.0 * products + 2.0 * links + paths + (first ? 0.0 : products);
    total += neighbors * c * (forth + back) + 2.0 * rows * c * c;
    total += 3.0 * c * static_cast<double>(contraction.coefficients.size());
  }
  return total;
}

}  // namespace tamiz::bench
