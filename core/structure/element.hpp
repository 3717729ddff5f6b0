#pragma once

#include <compare>
#include <cstdint>
#include <string_view>

namespace tamiz {

/// A chemical element, H (1) to Og (118).
class Element {
 public:
  /// Throws SpeciesError outside 1..118.
  explicit Element(int atomic_number);
  /// "Si". Throws SpeciesError for an unknown symbol, suggesting the nearest one.
  static Element from_symbol(std::string_view symbol);

  int number() const { return number_; }
  std::string_view symbol() const;
  std::string_view name() const;
  /// Standard atomic weight [u] (CIAAW 2021).
  double mass() const;
  /// Covalent radius [Å] (Cordero et al. 2008, doi:10.1039/b801115j); 1.5 where none is tabulated.
  double covalent_radius() const;
  /// Pauling electronegativity; NaN where none is known.
  double electronegativity() const;
  /// The same number for elements that take each other's place in compounds: the column of the periodic table, where copper's is
  /// that of the alkali metals and zinc's that of the alkaline earths, whose valence they have in semiconductors. Rare earths are one
  /// family, actinides another; hydrogen is alone.
  int family() const;

  auto operator<=>(const Element&) const = default;

 private:
  std::uint8_t number_;
};

}  // namespace tamiz
