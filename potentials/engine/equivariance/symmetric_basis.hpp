#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace tamiz {

inline constexpr int k_max_correlation = 4;

/// One monomial x_a·x_b·… of the components of (⊕_{l ≤ l_max} l), with its coefficient in every basis
/// map. `indices` is sorted; unused places (order below four) hold −1.
struct Monomial {
  int component;  ///< m of the output, 0..2L
  std::array<std::int16_t, k_max_correlation> indices;
  std::vector<double> coefficients;  ///< one per basis map
};

/// Number of ordered index tuples that one monomial stands for.
double index_permutations(const std::array<std::int16_t, k_max_correlation>& indices);

/// Orthogonal basis of the symmetric equivariant maps (⊕_{l ≤ l_max} l)^{⊗ν} → L of natural parity: the
/// generalised Clebsch–Gordan coefficients of the symmetric contraction (Batatia et al. 2022,
/// arXiv:2206.07697, eq. 10), written as polynomials.
struct SymmetricBasis {
  int order = 0;      ///< ν
  int output_l = 0;   ///< L
  int n_maps = 0;
  std::vector<Monomial> monomials;  ///< sorted by (component, indices)
};

/// Computed by coupling the factors one after the other over all intermediate momenta, for every multiset
/// of l, and orthogonalising the resulting polynomials. As tensors the maps are orthogonal with squared
/// norm 2L + 1. Deterministic; cached per process. Throws ShapeError outside order 1..4, l_max <= 6,
/// output_l <= 2.
const SymmetricBasis& symmetric_basis(int order, int l_max, int output_l);

}  // namespace tamiz
