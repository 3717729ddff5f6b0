#include <gtest/gtest.h>

#include <set>

#include "tamiz/screening/propose/oxidation.hpp"
#include "tamiz/screening/propose/systems.hpp"

namespace tamiz {
namespace {

std::string balanced(const char* formula, AnionRule rule = AnionRule::octet) {
  const auto states = balance_charges(Composition::from_formula(formula), rule);
  return states ? oxidation_text(*states) : "none";
}

TEST(Oxidation, known_compounds_balance_with_their_textbook_states) {
  EXPECT_EQ(balanced("MgSiN2"), "Mg+2 Si+4 N-3");
  EXPECT_EQ(balanced("Mg2Si"), "Mg+2 Si-4");
  EXPECT_EQ(balanced("Si3N4"), "Si+4 N-3");
  EXPECT_EQ(balanced("SrTiO3"), "Sr+2 Ti+4 O-2");
  EXPECT_EQ(balanced("Mg3AsN"), "Mg+2 As-3 N-3");
}

TEST(Oxidation, impossible_compositions_have_none) {
  EXPECT_EQ(balanced("CaMgN"), "none");
  EXPECT_EQ(balanced("CaMg2"), "none");
  EXPECT_EQ(balanced("MgHe"), "none");
}

TEST(Oxidation, dumbbell_anions_need_the_wider_rule) {
  EXPECT_EQ(balanced("CaN2"), "none");
  EXPECT_EQ(balanced("CaN2", AnionRule::any), "Ca+2 N-1");
}

TEST(Oxidation, cations_are_less_electronegative_than_anions) {
  // N5+ with Si4− would add up in Si5N4, yet nitrogen attracts electrons more.
  EXPECT_EQ(balanced("Si5N4", AnionRule::any).find("N+5"), std::string::npos);
}

TEST(Oxidation, no_element_gives_away_more_than_its_valence_electrons) {
  // Zn3+ stands in the table of states; ZnGe2N3 would need it.
  EXPECT_EQ(balanced("ZnGeN2"), "Zn+2 Ge+4 N-3");
  EXPECT_EQ(balanced("ZnN"), "none");
  EXPECT_EQ(balanced("FeN"), "Fe+3 N-3");
}

TEST(Oxidation, one_element_alone_is_neutral) { EXPECT_EQ(balanced("Si"), "Si+0"); }

TEST(Oxidation, balanced_compositions_are_reduced_within_the_limit_and_complete) {
  const auto elements = elements_of_system("Ca-Mg-N");
  std::set<std::string> formulas;

  for (const Composition& c : balanced_compositions(elements, 10)) formulas.insert(c.formula());

  // (Ca,Mg)3N2 and its multiples with both cations; nothing else fits 10 atoms.
  const std::set<std::string> expected{"CaMg2N2", "Ca2MgN2", "CaMg5N4", "Ca3Mg3N4", "Ca5MgN4"};
  EXPECT_EQ(formulas, expected);
}

}  // namespace
}  // namespace tamiz
