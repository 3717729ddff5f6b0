#include "tamiz/core/structure/element.hpp"

#include <string>
#include <vector>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/structure/element_table.hpp"

namespace tamiz {
namespace {

constexpr int k_hydrogen = 0, k_rare_earth = 3, k_noble_gas = 18, k_actinide = 19;

/// Where an element stands in its period, and the length of the period.
struct Place {
  int number, length;
};

Place place_in_period(int number) {
  int before = 0;
  for (const int length : {2, 8, 8, 18, 18, 32, 32}) {
    if (number <= before + length) return {number - before, length};
    before += length;
  }
  return {0, 0};
}

/// Column of the periodic table, 1 to 18; that of lanthanides and actinides is the third.
int column(int number) {
  const auto [place, length] = place_in_period(number);
  if (place == length) return k_noble_gas;
  if (place <= 2) return place;
  if (length == 32) return place <= 17 ? 3 : place - 14;
  return place + 18 - length;
}

const detail::ElementRow& row(int number) { return detail::k_elements[static_cast<std::size_t>(number - 1)]; }

}  // namespace

Element::Element(int atomic_number) : number_(static_cast<std::uint8_t>(atomic_number)) {
  if (atomic_number < 1 || atomic_number > static_cast<int>(detail::k_elements.size()))
    throw SpeciesError("atomic number " + std::to_string(atomic_number) + " is not in 1..118");
}

Element Element::from_symbol(std::string_view symbol) {
  for (std::size_t k = 0; k < detail::k_elements.size(); ++k)
    if (detail::k_elements[k].symbol == symbol) return Element(static_cast<int>(k) + 1);
  std::vector<std::string> known;
  for (const auto& entry : detail::k_elements) known.emplace_back(entry.symbol);
  const std::string nearest = nearest_name(symbol, known);
  throw SpeciesError("unknown element '" + std::string(symbol) + "'" +
                     (nearest.empty() ? std::string() : ", did you mean " + nearest + "?"));
}

std::string_view Element::symbol() const { return row(number_).symbol; }
std::string_view Element::name() const { return row(number_).name; }
double Element::mass() const { return row(number_).mass; }
double Element::covalent_radius() const { return row(number_).covalent_radius; }
double Element::electronegativity() const { return row(number_).electronegativity; }

int Element::family() const {
  if (number_ == 1) return k_hydrogen;
  switch (const int group = column(number_)) {
    case 3: return number_ < 87 ? k_rare_earth : k_actinide;
    case 11:
    case 12: return group - 10;
    default: return group;
  }
}

}  // namespace tamiz
