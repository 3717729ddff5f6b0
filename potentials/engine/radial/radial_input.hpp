#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "tamiz/potentials/engine/radial/radial_basis.hpp"
#include "tamiz/potentials/engine/radial/spline.hpp"

namespace tamiz {

/// What an edge hands to the radial functions of a model: the values of its basis, or, where they are splines, the
/// weights of four coefficients. Where distances are transformed by the pair of elements, every pair has a table of
/// coefficients of its own.
class RadialInput {
 public:
  explicit RadialInput(const ModelDescription& description);

  bool splined() const { return spline_.has_value(); }
  /// Values per edge.
  int width() const { return splined() ? 4 : basis_.size(); }
  int n_tables() const { return static_cast<int>(contacts_.size()); }
  /// Of all tables.
  int n_coefficients() const { return splined() ? n_tables() * spline_->n_coefficients() : 0; }
  /// Writes width() values and derivatives at 0 < r < cutoff [Å] between elements at places a and b of the description.
  /// Returns the coefficient that the first belongs to; 0 without splines.
  std::int32_t at(double r, std::int32_t a, std::int32_t b, std::span<double> values, std::span<double> slopes) const;

  const RadialSpline& spline() const { return *spline_; }
  const RadialBasis& basis() const { return basis_; }
  int basis_size() const { return basis_.size(); }
  /// Number of the table of elements at places a and b of the description, and the sum of covalent radii [Å] it is for.
  std::size_t table_of(std::int32_t a, std::int32_t b) const;
  double contact(std::size_t table) const { return contacts_[table]; }
  /// The basis at the nodes of all tables, (n_tables·n_nodes, basis_size).
  std::vector<double> basis_at_nodes() const;

 private:
  RadialBasis basis_;
  std::optional<RadialSpline> spline_;
  bool by_pair_;
  std::vector<double> contacts_;  ///< of the tables [Å]
};

/// Splines for this many pairs of elements at most; above, the network is evaluated at every edge.
inline constexpr std::size_t k_most_tables = 55;

}  // namespace tamiz
