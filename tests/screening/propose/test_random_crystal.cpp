#include <gtest/gtest.h>

#include <array>
#include <set>

#include "tamiz/screening/propose/prototypes.hpp"
#include "tamiz/screening/propose/radii.hpp"
#include "tamiz/screening/propose/random_crystal.hpp"

namespace tamiz {
namespace {

const Composition k_formula = Composition::from_formula("MgSiN2");

OxidationStates states() { return *balance_charges(k_formula); }

std::vector<RandomCrystal> crystals(int attempts, std::uint64_t seed = 1) {
  std::vector<RandomCrystal> result;
  for (int k = 0; k < attempts; ++k) {
    if (auto crystal = random_crystal(k_formula, states(), 8, seed, static_cast<std::uint32_t>(k))) {
      result.push_back(std::move(*crystal));
    }
  }
  return result;
}

TEST(RandomCrystal, has_the_symmetry_that_it_claims) {
  const auto found = crystals(300);

  ASSERT_GE(found.size(), 10u);
  for (const RandomCrystal& crystal : found) {
    const SpaceGroup again = space_group(crystal.structure, 1e-3);
    EXPECT_EQ(again.number, crystal.found.number);
    EXPECT_EQ(again.symbol, crystal.found.symbol);
    EXPECT_GE(again.number, 2);
  }
}

TEST(RandomCrystal, is_a_multiple_of_the_formula_within_the_limit) {
  const auto found = crystals(200);

  ASSERT_GE(found.size(), 10u);
  for (const RandomCrystal& crystal : found) {
    EXPECT_EQ(crystal.structure.composition().reduced(), k_formula);
    EXPECT_LE(crystal.structure.size(), 8u);
  }
}

TEST(RandomCrystal, volume_stays_within_a_fifth_of_the_guess) {
  const double guess = guess_volume(k_formula, states()) / 4.0;
  const auto found = crystals(200);

  ASSERT_GE(found.size(), 10u);
  for (const RandomCrystal& crystal : found) {
    const double volume = crystal.structure.lattice().volume() / static_cast<double>(crystal.structure.size());
    EXPECT_GE(volume, 0.799 * guess);
    EXPECT_LE(volume, 1.201 * guess);
  }
}

TEST(RandomCrystal, comes_from_many_space_groups) {
  std::set<int> numbers;

  for (const RandomCrystal& crystal : crystals(300)) numbers.insert(crystal.found.number);

  EXPECT_GE(numbers.size(), 5u);
}

TEST(RandomCrystal, depends_on_the_seed_and_not_on_what_came_before) {
  std::uint32_t attempt = 0;
  while (!random_crystal(k_formula, states(), 8, 1, attempt)) ++attempt;
  const auto first = random_crystal(k_formula, states(), 8, 1, attempt);

  const auto again = random_crystal(k_formula, states(), 8, 1, attempt);
  const auto other = random_crystal(k_formula, states(), 8, 2, attempt);

  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(first->structure.content_hash(), again->structure.content_hash());
  EXPECT_TRUE(!other || other->structure.content_hash() != first->structure.content_hash());
}

TEST(RandomLattice, has_the_metric_of_its_crystal_system_and_the_volume) {
  for (const int number : {1, 10, 40, 100, 150, 180, 220}) {
    Philox random(7, streams::k_crystals, static_cast<std::uint64_t>(number), 0);

    const Lattice lattice = random_lattice(number, 100.0, random);

    const std::array<double, 6> p = lattice.parameters();
    EXPECT_NEAR(lattice.volume(), 100.0, 1e-9);
    if (number >= 16) {
      EXPECT_NEAR(p[4], 90.0, 1e-9);
    }
    if (number >= 3) {
      EXPECT_NEAR(p[3], 90.0, 1e-9);
    }
    if (number >= 75) {
      EXPECT_NEAR(p[0], p[1], 1e-9);
    }
    if (number >= 195) {
      EXPECT_NEAR(p[0], p[2], 1e-9);
    }
    EXPECT_NEAR(p[5], number >= 143 && number < 195 ? 120.0 : number > 2 ? 90.0 : p[5], 1e-9);
  }
}

TEST(SpecialPosition, constraints_shrink_the_orbit_and_are_met) {
  const int hall = hall_number_of(225);
  const auto operations = operations_of_hall(hall);
  std::set<std::size_t> sizes;

  for (std::uint64_t id = 0; id < 200; ++id) {
    Philox random(3, streams::k_crystals, id, 0);
    const Vec3 start(random.uniform(), random.uniform(), random.uniform());
    const Vec3 point = special_position(start, operations, static_cast<int>(id % 7), random);
    sizes.insert(orbit_of(point, hall).size());
  }

  // Multiplicities of the Wyckoff positions of Fm-3m; 192 is the general one.
  const std::set<std::size_t> known{4, 8, 24, 32, 48, 96, 192};
  for (const std::size_t size : sizes) EXPECT_TRUE(known.contains(size)) << size;
  EXPECT_TRUE(sizes.contains(4));
  EXPECT_TRUE(sizes.contains(192));
  EXPECT_GE(sizes.size(), 5u);
}

}  // namespace
}  // namespace tamiz
