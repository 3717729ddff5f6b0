#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <string>
#include <vector>

#include "../../support/crystals.hpp"
#include "tamiz/core/structure/fingerprint.hpp"
#include "tamiz/core/structure/identity.hpp"
#include "tamiz/core/structure/symmetry.hpp"

using namespace tamiz;
using namespace tamiz::test_support;

namespace {

// Rounding of distances of 10 Å moves a Gaussian of 0.06 Å by parts in 10¹³; smoothing makes the rest.
constexpr double k_same = 1e-9;

struct Named {
  std::string name;
  Structure structure;
};

std::vector<Named> crystals() {
  return {{"diamond", diamond()},       {"zincblende", zincblende()}, {"rocksalt", rocksalt()},
          {"CsCl", caesium_chloride()}, {"fluorite", fluorite()},     {"perovskite", perovskite()},
          {"wurtzite", wurtzite()},     {"hcp", magnesium()},         {"CaZn2N2", calcium_zinc_nitride()},
          {"fcc", copper()}};
}

double distance(const Structure& a, const Structure& b) { return Fingerprint(a).distance(Fingerprint(b)); }

Structure dimer(double length, double box = 0.0) {
  Coordinates positions = Coordinates::Zero(2, 3);
  positions(1, 2) = length;
  const Lattice lattice = box > 0.0 ? cubic(box) : Lattice();
  return Structure(lattice, k_molecule, {Element(7), Element(7)}, Cartesian{positions});
}

}  // namespace

TEST(Fingerprint, survives_rotation_and_reflection) {
  Philox random(1, 1, 0, 0);
  Mat3 mirror = Mat3::Identity();
  mirror(0, 0) = -1.0;
  for (const Named& each : crystals()) {
    EXPECT_LT(distance(each.structure, turned(each.structure, random_rotation(random))), k_same) << each.name;
    EXPECT_LT(distance(each.structure, turned(each.structure, mirror)), k_same) << each.name;
  }
}

TEST(Fingerprint, survives_another_origin_and_order_of_atoms) {
  for (const Named& each : crystals()) {
    std::vector<std::size_t> backwards;
    for (std::size_t a = each.structure.size(); a-- > 0;) backwards.push_back(a);
    EXPECT_LT(distance(each.structure, shifted(each.structure, Vec3(1.234, -20.0, 0.77))), k_same) << each.name;
    EXPECT_LT(distance(each.structure, reordered(each.structure, backwards)), k_same) << each.name;
  }
}

TEST(Fingerprint, survives_supercells) {
  for (const Named& each : crystals())
    for (const std::array<int, 3> copies : {std::array{2, 1, 1}, std::array{1, 2, 3}})
      EXPECT_LT(distance(each.structure, each.structure.supercell(copies)), k_same) << each.name;
}

TEST(Fingerprint, survives_the_choice_of_cell) {
  const Eigen::Matrix3i skew = (Eigen::Matrix3i() << 1, 2, 0, 0, 1, -1, 0, 0, 1).finished();
  const Eigen::Matrix3i swap = (Eigen::Matrix3i() << 0, 1, 0, 1, 0, 0, 0, 0, 1).finished();
  for (const Named& each : crystals()) {
    EXPECT_LT(distance(each.structure, on_other_cell(each.structure, skew)), k_same) << each.name;
    EXPECT_LT(distance(each.structure, on_other_cell(each.structure, swap)), k_same) << each.name;
    EXPECT_LT(distance(each.structure, primitive_cell(on_other_cell(each.structure, skew))), 1e-6) << each.name;
    EXPECT_LT(distance(each.structure, conventional_cell(each.structure)), 1e-6) << each.name;
  }
}

TEST(Fingerprint, survives_a_guessed_volume) {
  for (const Named& each : crystals()) EXPECT_LT(distance(each.structure, each.structure.with_lattice_scaled(1.12)), k_same) << each.name;
}

TEST(Fingerprint, sees_the_volume_where_asked_to) {
  const FingerprintOptions options{.normalise_volume = false};

  EXPECT_GT(Fingerprint(diamond(), options).distance(Fingerprint(diamond().with_lattice_scaled(1.12), options)), k_same_structure);
  EXPECT_LT(Fingerprint(diamond(), options).distance(Fingerprint(diamond().supercell({2, 1, 1}), options)), k_same);
}

TEST(Fingerprint, polymorphs_differ) {
  const std::vector<Named> polymorphs{{"zincblende", zincblende()}, {"wurtzite", wurtzite()}, {"rocksalt", rocksalt()}, {"CsCl", caesium_chloride()}};
  for (std::size_t a = 0; a < polymorphs.size(); ++a)
    for (std::size_t b = 0; b < a; ++b)
      EXPECT_GT(distance(polymorphs[a].structure, polymorphs[b].structure), 2.0 * k_same_structure) << polymorphs[a].name << " and " << polymorphs[b].name;
}

TEST(Fingerprint, exchanged_elements_differ) {
  const Structure anti = crystal(hexagonal(3.463, 6.010), {{"Zn", {0, 0, 0}}, {"Ca", {1.0 / 3, 2.0 / 3, 0.636}}, {"Zn", {2.0 / 3, 1.0 / 3, 0.364}}, {"N", {1.0 / 3, 2.0 / 3, 0.268}}, {"N", {2.0 / 3, 1.0 / 3, 0.732}}});

  EXPECT_GT(distance(calcium_zinc_nitride(), anti), 2.0 * k_same_structure);
}

TEST(Fingerprint, compositions_that_differ_are_at_distance_one) {
  EXPECT_EQ(distance(diamond(), copper()), 1.0);
  EXPECT_EQ(distance(fluorite(), zincblende()), 1.0);
}

TEST(Fingerprint, small_displacements_stay_near) {
  Philox random(2, 1, 0, 0);
  for (const Named& each : crystals()) {
    const Structure super = each.structure.supercell({2, 2, 2});
    EXPECT_LT(distance(super, rattled(super, 0.01, random)), k_same_structure) << each.name;
  }
}

TEST(Fingerprint, is_symmetric_and_zero_to_itself) {
  EXPECT_EQ(distance(zincblende(), wurtzite()), distance(wurtzite(), zincblende()));
  for (const Named& each : crystals()) EXPECT_LT(distance(each.structure, each.structure), k_same) << each.name;
}

TEST(Fingerprint, coincident_atoms_give_a_finite_distance) {
  const Structure coincident = crystal(cubic(5.0), {{"Si", {0, 0, 0}}, {"Si", {0, 0, 0}}});
  const Structure nearly = crystal(cubic(5.0), {{"Si", {0, 0, 0}}, {"Si", {0, 0, 1e-9}}});

  EXPECT_LT(distance(coincident, coincident), k_same);
  EXPECT_LT(distance(coincident, nearly), 1e-6);
  const double to_diamond = distance(coincident, diamond());
  EXPECT_TRUE(std::isfinite(to_diamond));
  EXPECT_GT(to_diamond, k_same_structure);
}

TEST(Fingerprint, molecules_are_compared_whatever_their_box) {
  EXPECT_LT(distance(dimer(1.1), dimer(1.1, 12.0)), k_same);
  EXPECT_LT(distance(dimer(1.1, 8.0), dimer(1.1, 12.0)), k_same);
  EXPECT_GT(distance(dimer(1.1), dimer(1.5)), k_same_structure);
}

TEST(Fingerprint, single_atoms_equal_one_another) {
  const Structure atom(Lattice(), k_molecule, {Element(7)}, Cartesian{Coordinates::Zero(1, 3)});

  EXPECT_EQ(distance(atom, shifted(atom, Vec3(1, 2, 3))), 0.0);
  EXPECT_EQ(distance(atom, dimer(1.1)), 1.0);
}
