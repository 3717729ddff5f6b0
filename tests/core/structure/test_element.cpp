#include "tamiz/core/structure/element.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <set>

namespace tamiz {
namespace {

void expect_family(std::initializer_list<const char*> symbols) {
  std::set<int> families;
  for (const char* symbol : symbols) families.insert(Element::from_symbol(symbol).family());
  EXPECT_EQ(families.size(), 1u) << *symbols.begin();
}

TEST(Element, FamiliesAreColumnsWithTheLikeValence) {
  expect_family({"Li", "Na", "Cs", "Fr", "Cu", "Ag", "Au", "Rg"});
  expect_family({"Be", "Mg", "Ra", "Zn", "Cd", "Hg", "Cn"});
  expect_family({"B", "Al", "Ga", "In", "Tl", "Nh"});
  expect_family({"C", "Si", "Ge", "Sn", "Pb", "Fl"});
  expect_family({"F", "Cl", "I", "Ts"});
  expect_family({"He", "Ne", "Kr", "Og"});
  expect_family({"Ti", "Zr", "Hf", "Rf"});
  expect_family({"Ni", "Pd", "Pt", "Ds"});
  expect_family({"Sc", "Y", "La", "Gd", "Lu"});
  expect_family({"Ac", "U", "Lr"});
}

TEST(Element, TheFamiliesAreEighteen) {
  std::set<int> families;
  for (int number = 1; number <= 118; ++number) families.insert(Element(number).family());
  EXPECT_EQ(families.size(), 18u);  // columns 1, 2, 4 to 10 and 13 to 18, rare earths, actinides, hydrogen
  EXPECT_NE(Element(1).family(), Element(3).family());
  EXPECT_NE(Element(7).family(), Element(14).family());
}

}  // namespace
}  // namespace tamiz
