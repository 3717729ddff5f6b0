#include "tamiz/core/structure/element.hpp"

#include <string>
#include <vector>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/structure/element_table.hpp"

namespace tamiz {
namespace {

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

}  // namespace tamiz
