#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tamiz/screening/oracle/expected_gap.hpp"
#include "tamiz/screening/oracle/relative_cost.hpp"

namespace tamiz {
namespace {

TEST(ExpectedGap, needs_an_anion_and_paired_electrons) {
  for (const char* formula : {"MgSiN2", "Ca3N2", "ZnSnP2", "Mg2Si2N4"}) EXPECT_TRUE(may_have_gap(Composition::from_formula(formula))) << formula;
  for (const char* formula : {"MgN", "Ca2N", "Mg2Si", "CaMg2", "Zn", "N2"}) EXPECT_FALSE(may_have_gap(Composition::from_formula(formula))) << formula;
  EXPECT_TRUE(has_anion(Composition::from_formula("MgN")));
  EXPECT_FALSE(has_anion(Composition::from_formula("Mg2Si")));
}

Structure rocksalt(const std::string& first, const std::string& second) {
  Mat3 cell;
  cell << 0, 2, 2, 2, 0, 2, 2, 2, 0;
  Coordinates positions(2, 3);
  positions << 0, 0, 0, 2, 2, 2;
  return Structure(Lattice(cell), {true, true, true}, {Element::from_symbol(first), Element::from_symbol(second)}, Cartesian{positions});
}

TEST(RelativeCost, metals_and_crystals_without_symmetry_are_dear) {
  const Structure insulator = rocksalt("Mg", "O"), metal = rocksalt("Mg", "N");

  EXPECT_NEAR(relative_cost(insulator, 225), std::pow(20.0, 1.5) / std::pow(48.0, 0.4), 1e-9);
  EXPECT_NEAR(relative_cost(insulator, 1), std::pow(20.0, 1.5), 1e-9);
  EXPECT_NEAR(relative_cost(metal, 1), 3.0 * std::pow(19.0, 1.5), 1e-9);
  EXPECT_LT(relative_cost(rocksalt("Be", "O"), 1), relative_cost(insulator, 1));
}

}  // namespace
}  // namespace tamiz
