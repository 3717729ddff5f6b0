#pragma once

#include <array>
#include <span>
#include <string>
#include <vector>

#include "tamiz/core/base/math.hpp"
#include "tamiz/core/structure/composition.hpp"
#include "tamiz/core/structure/element.hpp"
#include "tamiz/core/structure/lattice.hpp"

namespace tamiz {

/// Positions in Å.
struct Cartesian {
  Coordinates values;
};

/// Positions in units of the lattice vectors.
struct Fractional {
  Coordinates values;
};

using Periodicity = std::array<bool, 3>;
inline constexpr Periodicity k_periodic{true, true, true};
inline constexpr Periodicity k_molecule{false, false, false};

/// Atoms in a cell; immutable.
class Structure {
 public:
  /// `positions` (n_atoms, 3) [Å], never wrapped. Throws ShapeError when the lengths differ,
  /// NumericsError for a value that is not finite or a periodic cell without volume.
  Structure(Lattice lattice, Periodicity periodicity, std::vector<Element> species, Cartesian positions);
  Structure(Lattice lattice, Periodicity periodicity, std::vector<Element> species, const Fractional& positions);

  std::size_t size() const { return species_.size(); }
  const Lattice& lattice() const { return lattice_; }
  const Periodicity& periodicity() const { return periodicity_; }
  bool is_periodic() const { return periodicity_[0] && periodicity_[1] && periodicity_[2]; }
  std::span<const Element> species() const { return species_; }
  /// (n_atoms, 3) [Å]
  const Coordinates& positions() const { return positions_; }
  /// (n_atoms, 3), not wrapped. Throws NumericsError for a cell without volume.
  Fractional fractional() const;
  Composition composition() const { return Composition(species_); }

  /// Hash of lattice, periodicity, species and positions to the last bit (32 hex digits): the key of
  /// the label cache. Rotated or permuted copies differ; see identity.hpp for sameness.
  std::string content_hash() const;

  Structure with_lattice_scaled(double linear_factor) const;
  /// Deformed by x → x·(1 + strain) for positions and lattice rows; strain (3, 3), any.
  Structure strained(const Mat3& strain) const;
  Structure with_positions(Cartesian positions) const;
  /// n_k copies along lattice vector k.
  Structure supercell(std::array<int, 3> copies) const;

  /// Shortest distance between two atoms over all images [Å]; infinity for one atom without periodicity.
  double shortest_distance() const;

 private:
  Lattice lattice_;
  Periodicity periodicity_;
  std::vector<Element> species_;
  Coordinates positions_;
};

}  // namespace tamiz
