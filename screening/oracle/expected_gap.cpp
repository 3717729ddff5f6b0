#include "tamiz/screening/oracle/expected_gap.hpp"

#include <algorithm>
#include <set>
#include <string_view>

namespace tamiz {
namespace {

bool has_odd_electrons(const Composition& composition) {
  const Composition formula = composition.reduced();
  int electrons = 0;
  for (const auto& [element, count] : formula.counts()) electrons += element.number() * count;
  return electrons % 2 == 1;
}

}  // namespace

bool has_anion(const Composition& composition) {
  static const std::set<std::string_view> anions{"H", "C", "N", "O", "F", "P", "S", "Cl", "As", "Se", "Br", "Te", "I"};
  return std::ranges::any_of(composition.counts(), [](const auto& entry) { return anions.contains(entry.first.symbol()); });
}

bool may_have_gap(const Composition& composition) {
  return composition.counts().size() > 1 && has_anion(composition) && !has_odd_electrons(composition);
}

}  // namespace tamiz
