#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "../../support/crystals.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/structure/fingerprint.hpp"
#include "tamiz/core/structure/symmetry.hpp"

using namespace tamiz;
using namespace tamiz::test_support;

namespace {

struct Known {
  std::string name;
  Structure structure;
  int number;
  std::string symbol;
  std::size_t n_primitive, n_conventional;
};

/// Space groups as the International Tables list them for these structure types.
std::vector<Known> known_crystals() {
  return {{"diamond", diamond(), 227, "Fd-3m", 2, 8},
          {"zincblende", zincblende(), 216, "F-43m", 2, 8},
          {"rocksalt", rocksalt(), 225, "Fm-3m", 2, 8},
          {"CsCl", caesium_chloride(), 221, "Pm-3m", 2, 2},
          {"fluorite", fluorite(), 225, "Fm-3m", 3, 12},
          {"perovskite", perovskite(), 221, "Pm-3m", 5, 5},
          {"wurtzite", wurtzite(), 186, "P6_3mc", 4, 4},
          {"hcp", magnesium(), 194, "P6_3/mmc", 2, 2},
          {"CaAl2Si2 type", calcium_zinc_nitride(), 164, "P-3m1", 5, 5},
          {"fcc", copper(), 225, "Fm-3m", 1, 4}};
}

constexpr double k_tolerance = 0.01;  // [Å]

}  // namespace

TEST(Symmetry, known_crystals_have_their_space_groups) {
  for (const Known& known : known_crystals()) {
    const SpaceGroup group = space_group(known.structure);
    EXPECT_EQ(group.number, known.number) << known.name;
    EXPECT_EQ(group.symbol, known.symbol) << known.name;
    EXPECT_EQ(group.equivalent.size(), known.structure.size()) << known.name;
  }
}

TEST(Symmetry, space_group_survives_rotation_origin_supercell_and_left_handed_cells) {
  Philox random(1, 1, 0, 0);
  Mat3 mirror = Mat3::Identity();
  mirror(2, 2) = -1.0;
  for (const Known& known : known_crystals()) {
    EXPECT_EQ(space_group(turned(known.structure, random_rotation(random))).number, known.number) << known.name;
    EXPECT_EQ(space_group(turned(known.structure, mirror)).number, known.number) << known.name;
    EXPECT_EQ(space_group(shifted(known.structure, Vec3(0.7, -1.3, 25.0))).number, known.number) << known.name;
    EXPECT_EQ(space_group(known.structure.supercell({2, 1, 2})).number, known.number) << known.name;
  }
}

TEST(Symmetry, equivalent_atoms_are_named_by_the_first) {
  const SpaceGroup group = space_group(calcium_zinc_nitride());

  EXPECT_EQ(group.equivalent, (std::vector<int>{0, 1, 1, 3, 3}));
}

TEST(Symmetry, primitive_and_conventional_cells_hold_the_known_number_of_atoms) {
  for (const Known& known : known_crystals()) {
    const Structure super = known.structure.supercell({2, 2, 1});
    EXPECT_EQ(primitive_cell(super).size(), known.n_primitive) << known.name;
    EXPECT_EQ(conventional_cell(super).size(), known.n_conventional) << known.name;
  }
}

TEST(Symmetry, reduced_cells_are_the_same_crystal) {
  for (const Known& known : known_crystals()) {
    const Fingerprint original(known.structure);
    const double density = static_cast<double>(known.structure.size()) / known.structure.lattice().volume();
    for (const Structure& other : {primitive_cell(known.structure), conventional_cell(known.structure), symmetrized(known.structure)}) {
      EXPECT_LT(Fingerprint(other).distance(original), 1e-6) << known.name;
      EXPECT_NEAR(static_cast<double>(other.size()) / other.lattice().volume(), density, 1e-9) << known.name;
      EXPECT_NEAR(other.shortest_distance(), known.structure.shortest_distance(), 1e-6) << known.name;
    }
  }
}

TEST(Symmetry, primitive_cell_is_right_handed_and_compact) {
  const Structure skewed = on_other_cell(copper(), (Eigen::Matrix3i() << 1, 3, 0, 0, 1, -4, 0, 0, 1).finished());

  const auto p = primitive_cell(skewed).lattice().parameters();

  for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(p[k], 3.615 / std::sqrt(2.0), 1e-5);
  EXPECT_GT(primitive_cell(skewed).lattice().signed_volume(), 0.0);
}

TEST(Symmetry, a_very_skew_cell_is_the_crystal_that_it_is) {
  Eigen::Matrix3i skew = Eigen::Matrix3i::Identity();
  skew(1, 0) = 50;
  const Structure cell = on_other_cell(wurtzite(), skew);

  EXPECT_EQ(primitive_cell(cell).size(), wurtzite().size());
  EXPECT_LT(Fingerprint(primitive_cell(cell)).distance(Fingerprint(wurtzite())), 1e-6);
}

TEST(Symmetry, symmetrized_removes_noise_below_the_tolerance) {
  Philox random(2, 1, 0, 0);
  for (const Known& known : known_crystals()) {
    Mat3 strain;
    for (int k = 0; k < 9; ++k) strain.data()[k] = 2e-4 * random.normal();
    const Structure noisy = rattled(known.structure.strained(strain), 1e-3, random);

    const Structure clean = symmetrized(noisy, 0.05);

    EXPECT_EQ(clean.size(), known.structure.size()) << known.name;
    EXPECT_EQ(space_group(clean, 1e-5).number, known.number) << known.name;
    EXPECT_LT((clean.lattice().rows() - noisy.lattice().rows()).cwiseAbs().maxCoeff(), 0.01) << known.name;
  }
}

TEST(Symmetry, noise_above_the_tolerance_lowers_the_space_group) {
  Philox random(3, 1, 0, 0);

  EXPECT_LT(space_group(rattled(diamond().supercell({2, 1, 1}), 0.1, random), k_tolerance).number, 16);
}

TEST(Symmetry, structures_without_symmetry_to_ask_for_are_refused) {
  const Structure slab(cubic(5.0), {true, true, false}, {Element(14)}, Cartesian{Coordinates::Zero(1, 3)});
  EXPECT_THROW(space_group(slab), CapabilityError);
  EXPECT_THROW(primitive_cell(slab), CapabilityError);

  const Structure overlapping = crystal(cubic(5.0), {{"Si", {0, 0, 0}}, {"Si", {0, 0, 0}}});
  EXPECT_THROW(space_group(overlapping), NumericsError);
  EXPECT_THROW(conventional_cell(overlapping), NumericsError);
}

TEST(HallSettings, operations_form_a_group) {
  for (const int number : {1, 2, 14, 26, 33, 62, 122, 164, 186, 216, 225, 227}) {
    const auto operations = operations_of_hall(hall_number_of(number));
    const auto key = [](const Eigen::Matrix3i& rotation, Vec3 translation) {
      std::vector<long> values(rotation.data(), rotation.data() + 9);
      for (int k = 0; k < 3; ++k) values.push_back(std::lround(24.0 * (translation[k] - std::floor(translation[k] + 1e-6))) % 24);
      return values;
    };
    std::set<std::vector<long>> members;
    for (const auto& each : operations) members.insert(key(each.rotation, each.translation));

    ASSERT_EQ(members.size(), operations.size()) << number;
    for (const auto& a : operations)
      for (const auto& b : operations)
        ASSERT_TRUE(members.contains(key(a.rotation * b.rotation, a.rotation.cast<double>() * b.translation + a.translation))) << number;
  }
}

TEST(HallSettings, orders_of_groups_are_those_of_the_tables) {
  EXPECT_EQ(operations_of_hall(hall_number_of(1)).size(), 1u);
  EXPECT_EQ(operations_of_hall(hall_number_of(33)).size(), 4u);
  EXPECT_EQ(operations_of_hall(hall_number_of(186)).size(), 12u);
  EXPECT_EQ(operations_of_hall(hall_number_of(227)).size(), 192u);
}

TEST(HallSettings, numbers_outside_the_tables_are_refused) {
  EXPECT_THROW(operations_of_hall(0), NumericsError);
  EXPECT_THROW(operations_of_hall(531), NumericsError);
  EXPECT_THROW(hall_number_of(231), NumericsError);
}
