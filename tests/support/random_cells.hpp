#pragma once

#include <cmath>
#include <span>
#include <string>
#include <vector>

#include "tamiz/core/base/philox.hpp"
#include "tamiz/core/structure/structure.hpp"

namespace tamiz::test_support {

struct NamedStructure {
  std::string name;
  Structure structure;
};

inline constexpr std::uint32_t k_stream_of_tests = 1000;

/// `n` atoms at random in the cell, no two nearer than `shortest` over all images. The distance is relaxed by
/// 5 % after every hundred tries that found no place, so that this always ends.
inline Structure random_structure(const Mat3& cell, const Periodicity& periodicity, std::size_t n, double shortest,
                                  std::span<const Element> elements, Philox& random) {
  std::vector<Element> species;
  Coordinates positions(0, 3);
  int tries = 0;
  while (species.size() < n) {
    Vec3 fraction;
    for (int k = 0; k < 3; ++k) fraction[k] = random.uniform();
    const Vec3 point = cell.transpose() * fraction;
    Coordinates extended(positions.rows() + 1, 3);
    extended.topRows(positions.rows()) = positions;
    extended.row(positions.rows()) = point.transpose();
    std::vector<Element> extended_species = species;
    extended_species.push_back(elements[random.below(elements.size())]);
    const Structure trial(Lattice(cell), periodicity, extended_species, Cartesian{extended});
    // The first atom of a cell smaller than `shortest` cannot do better than its own images.
    if (species.empty() || trial.shortest_distance() >= shortest) {
      positions = extended;
      species = extended_species;
    } else if (++tries % 100 == 0) {
      shortest *= 0.95;
    }
  }
  return Structure(Lattice(cell), periodicity, species, Cartesian{positions});
}

/// The cells that every potential and every neighbour search has to get right: cubic, strongly triclinic,
/// left-handed, smaller than any cutoff, nearly empty, and with one, two or no periodic directions.
/// `spacing` [Å]: usual distance of neighbours; the cells scale with it.
inline std::vector<NamedStructure> sample_cells(std::span<const Element> elements, double spacing,
                                                std::uint64_t seed = 1) {
  std::vector<NamedStructure> cells;
  const double a = 2.4 * spacing;
  const auto add = [&](const std::string& name, const Mat3& cell, const Periodicity& periodicity, std::size_t n) {
    Philox random(seed, k_stream_of_tests, cells.size(), 0);
    cells.push_back({name, random_structure(cell, periodicity, n, 0.8 * spacing, elements, random)});
  };
  Mat3 cubic = a * Mat3::Identity();
  Mat3 triclinic, left_handed, small;
  triclinic << a, 0.0, 0.0, 0.85 * a, 0.7 * a, 0.0, -0.6 * a, 0.5 * a, 1.3 * a;
  left_handed << 0.1 * a, a, 0.0, 1.1 * a, 0.2 * a, 0.1 * a, 0.0, -0.2 * a, 1.05 * a;
  small << 1.05 * spacing, 0.1 * spacing, 0.0, 0.2 * spacing, 1.1 * spacing, 0.1 * spacing, 0.0, 0.3 * spacing,
      1.3 * spacing;
  add("cubic", cubic, k_periodic, 8);
  add("triclinic", triclinic, k_periodic, 7);
  add("left-handed", left_handed, k_periodic, 6);
  add("smaller than the cutoff", small, k_periodic, 1);
  add("two atoms, smaller than the cutoff", 1.3 * small, k_periodic, 2);
  add("nearly empty", 8.0 * spacing * Mat3::Identity(), k_periodic, 1);
  add("pair in a large box", 8.0 * spacing * Mat3::Identity(), k_molecule, 2);
  add("slab", triclinic, {true, true, false}, 5);
  add("wire", left_handed, {false, true, false}, 4);
  add("molecule", cubic, k_molecule, 6);
  return cells;
}

}  // namespace tamiz::test_support
