#include <gtest/gtest.h>

#include <array>

#include "tamiz/potentials/engine/model_parameters.hpp"
#include "tamiz/potentials/engine/training/family_decay.hpp"

namespace tamiz {
namespace {

std::vector<Element> elements_named(std::initializer_list<const char*> symbols) {
  std::vector<Element> elements;
  for (const char* symbol : symbols) elements.push_back(Element::from_symbol(symbol));
  return elements;
}

TEST(FamilyDecay, PullsTheWeightsOfRelativesAndNoOthers) {
  const std::vector<Element> elements = elements_named({"N", "Mg", "Zn"});
  const std::vector<ParameterBlock> layout{{"shared", 0, 3, true}, {"by_element", 3, 6, false, true}};
  std::array values{1.0, 2.0, 3.0, 10.0, 20.0, 1.0, 2.0, 5.0, 8.0};
  FamilyDecay(layout, elements, 0.5).step(values, 0.2);
  const std::array expected{1.0, 2.0, 3.0, 10.0, 20.0, 1.2, 2.3, 4.8, 7.7};  // a tenth of the way to (3, 5)
  for (std::size_t k = 0; k < values.size(); ++k) EXPECT_NEAR(values[k], expected[k], 1e-12) << k;
}

TEST(FamilyDecay, GoesNoFartherThanTheMean) {
  const std::vector<ParameterBlock> layout{{"by_element", 0, 2, false, true}};
  std::array values{1.0, 3.0};
  FamilyDecay(layout, elements_named({"Si", "Ge"}), 100.0).step(values, 0.2);
  EXPECT_DOUBLE_EQ(values[0], 2.0);
  EXPECT_DOUBLE_EQ(values[1], 2.0);
}

TEST(FamilyDecay, KnowsTheWeightsOfElements) {
  ModelDescription description;
  description.elements = elements_named({"Mg", "Ca"});
  description.channels = 2;  // as many as elements
  std::size_t by_element = 0;
  for (const ParameterBlock& block : parameter_layout(description)) {
    const bool expected = block.name == "node_embedding" || block.name.find("skip") != std::string::npos ||
                          block.name.find("contraction") != std::string::npos;
    EXPECT_EQ(block.by_element, expected) << block.name;
    by_element += block.by_element;
  }
  EXPECT_GT(by_element, 5u);
}

}  // namespace
}  // namespace tamiz
