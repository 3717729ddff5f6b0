#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "../../support/crystals.hpp"
#include "tamiz/core/structure/identity.hpp"

using namespace tamiz;
using namespace tamiz::test_support;

namespace {

Lattice tetragonal(double a, double c) { return Lattice::from_parameters(a, a, c, 90.0, 90.0, 90.0); }

/// Cations in layers along [001] of an ideal zincblende lattice.
Structure cu_au_like() {
  return crystal(tetragonal(4.0 / std::sqrt(2.0), 4.0), {{"Zn", {0, 0, 0}}, {"Ge", {0.5, 0.5, 0.5}}, {"N", {0.5, 0, 0.25}}, {"N", {0, 0.5, 0.75}}});
}

/// The same lattice with cations in the order of chalcopyrite.
Structure chalcopyrite() {
  return crystal(tetragonal(4.0, 8.0), {{"Zn", {0, 0, 0}}, {"Zn", {0.5, 0.5, 0.5}}, {"Zn", {0, 0.5, 0.25}}, {"Zn", {0.5, 0, 0.75}},
                                        {"Ge", {0, 0, 0.5}}, {"Ge", {0.5, 0.5, 0}}, {"Ge", {0, 0.5, 0.75}}, {"Ge", {0.5, 0, 0.25}},
                                        {"N", {0.25, 0.25, 0.125}}, {"N", {0.75, 0.75, 0.125}}, {"N", {0.25, 0.75, 0.875}}, {"N", {0.75, 0.25, 0.875}},
                                        {"N", {0.75, 0.25, 0.375}}, {"N", {0.25, 0.75, 0.375}}, {"N", {0.25, 0.25, 0.625}}, {"N", {0.75, 0.75, 0.625}}});
}

bool same(const Structure& a, const Structure& b) { return StructureIdentity(a).same_as(StructureIdentity(b)); }

}  // namespace

TEST(StructureIdentity, of_no_atoms_is_that_of_no_atoms) {
  const Structure empty(Lattice(Mat3::Identity() * 5.0), k_periodic, {}, Cartesian{Coordinates(0, 3)});

  EXPECT_TRUE(StructureIdentity(empty).same_as(StructureIdentity(empty)));
}

TEST(StructureIdentity, tells_orderings_of_one_lattice_apart) {
  const double distance = Fingerprint(cu_au_like()).distance(Fingerprint(chalcopyrite()));

  ASSERT_LT(distance, k_near_structure);  // the fingerprint alone would merge them
  EXPECT_FALSE(same(cu_au_like(), chalcopyrite()));
}

TEST(StructureIdentity, holds_for_displaced_and_strained_copies_in_any_cell) {
  Philox random(2, 1, 0, 0);
  const Eigen::Matrix3i skew = (Eigen::Matrix3i() << 1, 2, 0, 0, 1, -1, 0, 0, 1).finished();
  const Mat3 strain = (Mat3() << 0.01, 0.004, 0, 0.004, -0.008, -0.003, 0, -0.003, 0.002).finished();
  for (const Structure& structure : {cu_au_like(), chalcopyrite(), zincblende(), wurtzite(), perovskite(), copper(), magnesium()}) {
    const Structure super = on_other_cell(structure.supercell({2, 2, 1}), skew);
    const Structure copy = turned(shifted(rattled(super.strained(strain), 0.02, random), Vec3(0.3, -7.0, 2.2)), random_rotation(random));
    EXPECT_TRUE(same(structure, copy.with_lattice_scaled(1.04)));
    EXPECT_TRUE(same(copy, structure.supercell({1, 1, 3})));  // neither cell is a multiple of the other
  }
}

TEST(StructureIdentity, holds_for_the_mirror_image) {
  // Selenium: chains that turn to the right or to the left.
  const Structure right = crystal(hexagonal(4.37, 4.95), {{"Se", {0.225, 0, 1.0 / 3}}, {"Se", {0, 0.225, 2.0 / 3}}, {"Se", {0.775, 0.775, 0}}});
  Mat3 mirror = Mat3::Identity();
  mirror(0, 0) = -1.0;

  EXPECT_TRUE(same(right, turned(right, mirror)));
}

TEST(StructureIdentity, sees_atoms_that_lie_elsewhere) {
  const auto with_height = [](double u) {
    return crystal(tetragonal(4.0, 5.0), {{"Pb", {0, 0.5, u}}, {"Pb", {0.5, 0, 1.0 - u}}, {"O", {0, 0, 0}}, {"O", {0.5, 0.5, 0}}});
  };

  EXPECT_TRUE(same(with_height(0.247), with_height(0.253)));
  EXPECT_FALSE(same(with_height(0.20), with_height(0.30)));
}

TEST(StructureIdentity, holds_for_molecules) {
  const Structure atom(Lattice(), k_molecule, {Element(7)}, Cartesian{Coordinates::Zero(1, 3)});

  EXPECT_TRUE(same(atom, shifted(atom, Vec3(1, 2, 3))));
  const Structure two(Lattice(), k_molecule, {Element(7), Element(7)}, Cartesian{(Coordinates(2, 3) << 0, 0, 0, 0, 0, 12).finished()});
  EXPECT_FALSE(same(atom, two)) << "two atoms far from each other are not one";
}

TEST(StructureIdentity, holds_for_noise_in_skew_cells) {
  Philox random(3, 1, 0, 0);
  for (const int skew : {0, 2, 4, 8, 15}) {
    Eigen::Matrix3i cell = Eigen::Matrix3i::Identity();
    cell(1, 0) = skew;
    for (const std::array<int, 3>& times : {std::array{2, 2, 2}, std::array{3, 3, 3}})
      EXPECT_TRUE(same(zincblende(), on_other_cell(rattled(zincblende().supercell(times), 0.02, random), cell))) << skew << " " << times[0];
  }
}

TEST(Duplicates, each_structure_names_the_first_like_it) {
  const std::vector<Structure> structures{zincblende(), wurtzite(), zincblende().supercell({1, 2, 1}), copper(), shifted(wurtzite(), Vec3(1, 1, 1)), zincblende()};

  EXPECT_EQ(group_duplicates(structures), (std::vector<std::size_t>{0, 1, 0, 3, 1, 0}));
}

TEST(Duplicates, of_nothing_are_nothing) { EXPECT_TRUE(group_duplicates(std::vector<Structure>{}).empty()); }
