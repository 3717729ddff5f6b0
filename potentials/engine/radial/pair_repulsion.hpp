#pragma once

#include <array>
#include <optional>

#include "tamiz/potentials/engine/classical/pair_potential.hpp"
#include "tamiz/potentials/engine/model_description.hpp"

namespace tamiz {

/// Shares of the four exponentials of its screening function; mace-torch rounds them like this.
inline constexpr std::array<double, 4> k_zbl_shares{0.1818, 0.5099, 0.2802, 0.02817};

/// The pair repulsion under a MACE model: ZBL with the constants of mace-torch and a polynomial envelope that ends it at
/// the sum of the covalent radii (docs/theory.md, eq. 7a). It has no weights to fit: it keeps atoms apart where
/// no label does.
class PairRepulsion : public PairPotential {
 public:
  /// `description.repulsion` must be positive.
  explicit PairRepulsion(const ModelDescription& description);

  std::string name() const override { return "pair repulsion"; }
  /// Zero from the sum of the covalent radii on.
  Radial pair(std::size_t a, std::size_t b, double r) const override;

 private:
  double factor_, exponent_, prefactor_;
  int power_;
};

/// The repulsion of a model; nothing where it has none.
std::optional<PairRepulsion> repulsion_of(const ModelDescription& description);

}  // namespace tamiz
