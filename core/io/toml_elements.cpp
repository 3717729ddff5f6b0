#include "tamiz/core/io/toml_elements.hpp"

#include "tamiz/core/base/error.hpp"

namespace tamiz {

std::map<Element, double> numbers_by_element(const TomlTable& table) {
  std::map<Element, double> numbers;
  for (const std::string& symbol : table.keys()) {
    try {
      numbers[Element::from_symbol(symbol)] = table.number(symbol, 0.0);
    } catch (const SpeciesError& error) {
      table.fail(symbol, error.what());
    }
  }
  return numbers;
}

}  // namespace tamiz
