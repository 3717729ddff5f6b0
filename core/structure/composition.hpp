#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tamiz/core/structure/element.hpp"

namespace tamiz {

/// Counts of atoms per element.
class Composition {
 public:
  Composition() = default;
  explicit Composition(std::span<const Element> species);
  explicit Composition(std::map<Element, int> counts);
  /// "CaMg2N2". Throws FormatError or SpeciesError.
  static Composition from_formula(std::string_view formula);

  const std::map<Element, int>& counts() const { return counts_; }
  int n_atoms() const;
  int count(Element element) const;
  double fraction(Element element) const;
  /// Divided by the greatest common divisor.
  Composition reduced() const;
  int formula_units() const;
  /// Elements ordered by electronegativity, then symbol, as chemists write them: "CaMg2N2".
  std::string formula() const;
  /// "Ca-Mg-N": elements in the order of their symbols.
  std::string system() const;

  bool operator==(const Composition&) const = default;

 private:
  std::map<Element, int> counts_;
};

}  // namespace tamiz
