#include "tamiz/screening/propose/systems.hpp"

#include <algorithm>
#include <string>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/text.hpp"

namespace tamiz {

std::vector<Element> elements_of_system(std::string_view system) {
  std::vector<Element> elements;
  for (std::size_t begin = 0; begin <= system.size();) {
    const std::size_t end = std::min(system.find('-', begin), system.size());
    const std::string_view symbol = trim(system.substr(begin, end - begin));
    if (symbol.empty()) {
      throw FormatError("'" + std::string(system) + "' is no chemical system, expected symbols as in \"Ca-Mg-N\"");
    }
    const Element element = Element::from_symbol(symbol);
    if (std::find(elements.begin(), elements.end(), element) != elements.end()) {
      throw FormatError("'" + std::string(system) + "' names " + std::string(symbol) + " twice");
    }
    elements.push_back(element);
    begin = end + 1;
  }
  return elements;
}

}  // namespace tamiz
