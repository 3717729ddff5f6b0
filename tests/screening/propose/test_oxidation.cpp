#include <gtest/gtest.h>

#include <set>

#include "tamiz/screening/propose/oxidation.hpp"
#include "tamiz/screening/propose/systems.hpp"

namespace tamiz {
namespace {

std::string balanced(const char* formula, const OxidationRules& rules = {}) {
  const auto states = balance_charges(Composition::from_formula(formula), rules);
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
  EXPECT_EQ(balanced("CaN2", {AnionRule::any, {}}), "Ca+2 N-1");
}

TEST(Oxidation, cations_are_less_electronegative_than_anions) {
  // N5+ with Si4− would add up in Si5N4, yet nitrogen attracts electrons more.
  EXPECT_EQ(balanced("Si5N4", {AnionRule::any, {}}).find("N+5"), std::string::npos);
}

TEST(Oxidation, no_element_gives_away_more_than_its_valence_electrons) {
  // Zn3+ stands in the table of states; ZnGe2N3 would need it.
  EXPECT_EQ(balanced("ZnGeN2"), "Zn+2 Ge+4 N-3");
  EXPECT_EQ(balanced("ZnN"), "none");
  EXPECT_EQ(balanced("FeN"), "Fe+3 N-3");
}

TEST(Oxidation, rare_states_of_cations_are_left_out) {
  EXPECT_EQ(balanced("Mg3SiN3"), "none");  // Si3+
  EXPECT_EQ(balanced("Mg2SiN2"), "none");  // Si2+
  EXPECT_EQ(balanced("SiO"), "none");
  EXPECT_EQ(balanced("SnO"), "Sn+2 O-2");
  EXPECT_EQ(balanced("SnO2"), "Sn+4 O-2");
  EXPECT_EQ(balanced("Cu2O"), "Cu+1 O-2");
}

TEST(Oxidation, metalloids_are_anions_only_where_nothing_else_is) {
  EXPECT_EQ(balanced("Mg5SiN2"), "none");  // Si4− beside N3−
  EXPECT_EQ(balanced("Mg2Ge"), "Mg+2 Ge-4");
  EXPECT_EQ(balanced("Mg3SbN"), "Mg+2 Sb-3 N-3");
  EXPECT_EQ(balanced("CsAu"), "none");  // gold has no octet
}

TEST(Oxidation, given_states_stand_in_for_the_common_ones) {
  const Element si = Element::from_symbol("Si");

  EXPECT_EQ(balanced("Mg5SiN2", {AnionRule::octet, {{si, {-4, 4}}}}), "Mg+2 Si-4 N-3");
  EXPECT_EQ(balanced("MgSiN2", {AnionRule::octet, {{si, {-4, 4}}}}), "Mg+2 Si+4 N-3");
  EXPECT_EQ(balanced("Mg2SiN2", {AnionRule::octet, {{si, {2}}}}), "Mg+2 Si+2 N-3");
  EXPECT_EQ(balanced("MgSiN2", {AnionRule::octet, {{si, {2}}}}), "none");
  EXPECT_EQ(balanced("CsAu", {AnionRule::octet, {{Element::from_symbol("Au"), {-1}}}}), "Cs+1 Au-1");
}

TEST(Oxidation, the_most_often_reported_states_win) {
  // Fe2+ with Ti4+ and Fe3+ with Ti3+ both balance ilmenite; Ti3+ is the rare one.
  EXPECT_EQ(balanced("FeTiO3"), "Ti+4 Fe+2 O-2");
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
