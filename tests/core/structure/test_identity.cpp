#include <gtest/gtest.h>

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

TEST(StructureIdentity, tells_orderings_of_one_lattice_apart) {
  const double distance = Fingerprint(cu_au_like()).distance(Fingerprint(chalcopyrite()));

  ASSERT_LT(distance, k_same_structure);  // the fingerprint alone would merge them
  EXPECT_FALSE(same(cu_au_like(), chalcopyrite()));
}

TEST(StructureIdentity, holds_for_displaced_copies) {
  Philox random(2, 1, 0, 0);
  for (const Structure& structure : {cu_au_like(), chalcopyrite(), zincblende(), wurtzite(), perovskite()}) {
    const Structure super = structure.supercell({2, 2, 1});
    EXPECT_TRUE(same(structure, rattled(super, 0.01, random)));
  }
}

TEST(StructureIdentity, holds_for_molecules) {
  const Structure atom(Lattice(), k_molecule, {Element(7)}, Cartesian{Coordinates::Zero(1, 3)});

  EXPECT_TRUE(same(atom, shifted(atom, Vec3(1, 2, 3))));
}

TEST(Duplicates, each_structure_names_the_first_like_it) {
  const std::vector<Structure> structures{zincblende(), wurtzite(), zincblende().supercell({1, 2, 1}), copper(), shifted(wurtzite(), Vec3(1, 1, 1)), zincblende()};

  EXPECT_EQ(group_duplicates(structures), (std::vector<std::size_t>{0, 1, 0, 3, 1, 0}));
}

TEST(Duplicates, of_nothing_are_nothing) { EXPECT_TRUE(group_duplicates(std::vector<Structure>{}).empty()); }
