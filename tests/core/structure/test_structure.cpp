#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "../../support/crystals.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/structure/batch.hpp"

using namespace tamiz;
using namespace tamiz::test_support;

namespace {

constexpr double k_rounding = 1e-12;  // [Å], of coordinates of a few Å

Structure molecule(std::vector<Element> species, Coordinates positions) {
  return Structure(Lattice(), k_molecule, std::move(species), Cartesian{std::move(positions)});
}

const Element k_silicon(14);

}  // namespace

TEST(Structure, fractional_coordinates_are_the_inverse_of_cartesian_ones) {
  const Structure structure = shifted(wurtzite(), Vec3(7.3, -11.2, 0.4));

  const Coordinates back = structure.fractional().values * structure.lattice().rows();

  EXPECT_LT((back - structure.positions()).cwiseAbs().maxCoeff(), k_rounding * 10);
}

TEST(Structure, positions_are_never_wrapped) {
  const Structure structure = shifted(diamond(), Vec3(100.0, -50.0, 3.0));

  EXPECT_EQ(structure.positions()(0, 0), 100.0);
  EXPECT_EQ(structure.positions()(0, 1), -50.0);
}

TEST(Structure, hash_sees_every_bit_of_every_part) {
  const Structure base = wurtzite();
  Coordinates nudged = base.positions();
  nudged(2, 1) = std::nextafter(nudged(2, 1), 10.0);
  Mat3 cell = base.lattice().rows();
  cell(2, 2) = std::nextafter(cell(2, 2), 10.0);
  std::vector<Element> species(base.species().begin(), base.species().end());
  const std::vector<Element> original = species;
  species[3] = Element(15);

  const std::vector<Structure> others{
      base.with_positions(Cartesian{nudged}), Structure(Lattice(cell), k_periodic, original, Cartesian{base.positions()}),
      Structure(base.lattice(), {true, true, false}, original, Cartesian{base.positions()}),
      Structure(base.lattice(), k_periodic, species, Cartesian{base.positions()})};

  EXPECT_EQ(base.content_hash(), wurtzite().content_hash());
  EXPECT_EQ(base.content_hash().size(), 32u);
  for (const Structure& other : others) EXPECT_NE(other.content_hash(), base.content_hash());
}

TEST(Structure, supercell_repeats_atoms_and_density) {
  const Structure super = wurtzite().supercell({2, 1, 3});

  EXPECT_EQ(super.size(), 24u);
  EXPECT_NEAR(super.lattice().volume(), 6.0 * wurtzite().lattice().volume(), 1e-9);
  EXPECT_NEAR(super.shortest_distance(), wurtzite().shortest_distance(), k_rounding * 10);
  EXPECT_EQ(super.composition().reduced(), wurtzite().composition().reduced());
  EXPECT_THROW(wurtzite().supercell({0, 1, 1}), ShapeError);
}

TEST(Structure, strain_moves_positions_with_the_cell) {
  Mat3 strain;
  strain << 0.02, 0.01, 0.0, -0.01, 0.03, 0.005, 0.0, 0.02, -0.04;
  const Structure strained = wurtzite().strained(strain);

  EXPECT_LT((strained.fractional().values - wurtzite().fractional().values).cwiseAbs().maxCoeff(), k_rounding);
  EXPECT_NEAR(strained.lattice().volume(), wurtzite().lattice().volume() * (Mat3::Identity() + strain).determinant(), 1e-9);
}

TEST(Structure, scaling_multiplies_every_distance) {
  EXPECT_NEAR(wurtzite().with_lattice_scaled(1.5).shortest_distance(), 1.5 * wurtzite().shortest_distance(), k_rounding * 10);
}

TEST(Structure, shortest_distance_counts_images) {
  EXPECT_NEAR(diamond().shortest_distance(), 5.431 * std::sqrt(3.0) / 4.0, k_rounding * 10);
  EXPECT_NEAR(copper().shortest_distance(), 3.615 / std::sqrt(2.0), k_rounding * 10);
  EXPECT_NEAR(crystal(cubic(30.0), {{"He", {0.1, 0.2, 0.3}}}).shortest_distance(), 30.0, 1e-9);
}

TEST(Structure, shortest_distance_of_molecules) {
  Coordinates two(2, 3);
  two << 0.0, 0.0, 0.0, 0.0, 3.0, 4.0;

  EXPECT_NEAR(molecule({k_silicon, k_silicon}, two).shortest_distance(), 5.0, k_rounding);
  EXPECT_EQ(molecule({k_silicon}, Coordinates::Zero(1, 3)).shortest_distance(), std::numeric_limits<double>::infinity());
  EXPECT_EQ(molecule({k_silicon, k_silicon}, Coordinates::Zero(2, 3)).shortest_distance(), 0.0);
}

TEST(Structure, lengths_that_do_not_fit_are_refused) {
  EXPECT_THROW(Structure(cubic(5.0), k_periodic, {k_silicon}, Cartesian{Coordinates::Zero(2, 3)}), ShapeError);
}

TEST(Structure, values_that_are_not_finite_are_refused) {
  Coordinates bad = Coordinates::Zero(1, 3);
  bad(0, 1) = std::nan("");
  EXPECT_THROW(Structure(cubic(5.0), k_periodic, {k_silicon}, Cartesian{bad}), NumericsError);
  bad(0, 1) = std::numeric_limits<double>::infinity();
  EXPECT_THROW(molecule({k_silicon}, bad), NumericsError);
}

TEST(Structure, a_periodic_cell_needs_a_volume) {
  Mat3 flat;
  flat << 1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0;
  const Coordinates origin = Coordinates::Zero(1, 3);

  EXPECT_THROW(Structure(Lattice(flat), k_periodic, {k_silicon}, Cartesian{origin}), NumericsError);
  EXPECT_THROW(Structure(Lattice(), k_periodic, {k_silicon}, Cartesian{origin}), NumericsError);
  EXPECT_NO_THROW(Structure(Lattice(flat), {true, true, false}, {k_silicon}, Cartesian{origin}));
  EXPECT_NO_THROW(Structure(Lattice(), k_molecule, {k_silicon}, Cartesian{origin}));
}

TEST(Batch, structures_come_back_as_they_went_in) {
  const std::vector<Structure> structures{wurtzite(), diamond(), molecule({k_silicon}, Coordinates::Ones(1, 3)), perovskite()};
  const Batch batch(structures);
  const State state = State::of(structures);

  ASSERT_EQ(batch.n_structures(), structures.size());
  EXPECT_EQ(batch.n_atoms(), 4u + 2u + 1u + 5u);
  for (std::size_t s = 0; s < structures.size(); ++s) {
    EXPECT_EQ(structure_of(batch, state, s).content_hash(), structures[s].content_hash());
    for (std::size_t a = batch.offsets()[s]; a < batch.offsets()[s + 1]; ++a) {
      EXPECT_EQ(batch.owners()[a], static_cast<std::int32_t>(s));
      EXPECT_EQ(batch.masses()[a], batch.species()[a].mass());
    }
  }
}

TEST(Batch, an_empty_batch_has_nothing) {
  EXPECT_EQ(Batch().n_structures(), 0u);
  EXPECT_EQ(Batch(std::vector<Structure>{}).n_atoms(), 0u);
}
