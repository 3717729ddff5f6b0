#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/structure/composition.hpp"

using namespace tamiz;

namespace {

Element element(const char* symbol) { return Element::from_symbol(symbol); }
Composition formula(const char* text) { return Composition::from_formula(text); }

std::string message_of(const char* text) {
  try {
    Composition::from_formula(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST(Element, table_agrees_with_published_values) {
  EXPECT_EQ(element("Si").number(), 14);
  EXPECT_EQ(element("Og").number(), 118);
  EXPECT_EQ(element("Zn").name(), "Zinc");
  EXPECT_NEAR(element("N").mass(), 14.007, 1e-9);
  EXPECT_NEAR(element("Zn").mass(), 65.38, 1e-9);
  EXPECT_NEAR(element("Ca").covalent_radius(), 1.76, 1e-9);
  EXPECT_NEAR(element("N").electronegativity(), 3.04, 1e-9);
  EXPECT_TRUE(std::isnan(element("He").electronegativity()));
}

TEST(Element, every_symbol_leads_back_to_its_number) {
  for (int number = 1; number <= 118; ++number) {
    const Element each(number);
    EXPECT_EQ(Element::from_symbol(each.symbol()), each);
    EXPECT_GT(each.mass(), 0.5);
    EXPECT_GT(each.covalent_radius(), 0.2);
  }
}

TEST(Element, what_is_no_element_is_refused_with_the_nearest) {
  EXPECT_THROW(Element(0), SpeciesError);
  EXPECT_THROW(Element(119), SpeciesError);
  EXPECT_THROW(Element(256 + 14), SpeciesError);  // must not wrap to silicon
  EXPECT_THROW(Element::from_symbol("si"), SpeciesError);
  EXPECT_NE(message_of("Zm2O").find("did you mean"), std::string::npos) << message_of("Zm2O");
}

TEST(Composition, formula_is_read_with_counts_and_brackets) {
  const Composition phosphate = formula("Ca3(PO4)2");

  EXPECT_EQ(phosphate.count(element("Ca")), 3);
  EXPECT_EQ(phosphate.count(element("P")), 2);
  EXPECT_EQ(phosphate.count(element("O")), 8);
  EXPECT_EQ(phosphate.count(element("N")), 0);
  EXPECT_EQ(phosphate.n_atoms(), 13);
  EXPECT_EQ(formula("((CaO2)3)2"), formula("Ca6O12"));
  EXPECT_EQ(formula("NaNaCl"), formula("Na2Cl"));
}

TEST(Composition, cobalt_is_not_carbon_monoxide) {
  EXPECT_EQ(formula("Co").n_atoms(), 1);
  EXPECT_EQ(formula("CO").n_atoms(), 2);
}

TEST(Composition, is_counted_from_species) {
  const std::vector<Element> species{element("Zn"), element("N"), element("Ca"), element("N"), element("Zn")};

  EXPECT_EQ(Composition(species), formula("CaZn2N2"));
}

TEST(Composition, is_written_by_electronegativity_and_by_symbol) {
  EXPECT_EQ(formula("N2CaZn2").formula(), "CaZn2N2");
  EXPECT_EQ(formula("N2CaZn2").system(), "Ca-N-Zn");
  EXPECT_EQ(formula("OH2").formula(), "H2O");
  EXPECT_EQ(formula("Si").formula(), "Si");
}

TEST(Composition, written_formula_reads_back) {
  for (const char* text : {"CaZn2N2", "MgSiN2", "H2O", "Mg3N2", "Al2O3", "He3Ne"})
    EXPECT_EQ(Composition::from_formula(formula(text).formula()), formula(text));
}

TEST(Composition, is_reduced_by_the_greatest_common_divisor) {
  EXPECT_EQ(formula("Ca4Zn8N8").reduced(), formula("CaZn2N2"));
  EXPECT_EQ(formula("Ca4Zn8N8").formula_units(), 4);
  EXPECT_EQ(formula("N2").reduced(), formula("N"));
  EXPECT_EQ(formula("Al2O3").formula_units(), 1);
  EXPECT_DOUBLE_EQ(formula("Mg3N2").fraction(element("N")), 0.4);
}

TEST(Composition, broken_formulas_are_refused_with_the_position) {
  for (const char* text : {"", "ca", "Ca(", "Ca)", "Ca(N", "2Ca", "Ca0", "Ca-2", "Ca N", "()", "Ca99999999999"})
    EXPECT_THROW(Composition::from_formula(text), FormatError) << text;
  EXPECT_NE(message_of("Ca2N2)").find("position 6"), std::string::npos) << message_of("Ca2N2)");
  EXPECT_THROW(Composition::from_formula(std::string(100000, '(')), FormatError);
}

TEST(Composition, counts_must_be_positive) {
  EXPECT_THROW(Composition(std::map<Element, int>{{element("Si"), 0}}), ShapeError);
  EXPECT_THROW(Composition(std::map<Element, int>{{element("Si"), -1}}), ShapeError);
}
