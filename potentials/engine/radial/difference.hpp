#pragma once

namespace tamiz {

/// Derivative at x [Å] of a slope that is known in closed form: by differences of fourth order, whose step balances
/// truncation and rounding in float64. `term(shift, weight)` is called for four places x + shift; the derivative is
/// Σ weight·slope(x + shift).
template <typename Term>
void difference(const Term& term) {
  constexpr double h = 1e-3;
  term(-2.0 * h, 1.0 / (12.0 * h));
  term(-h, -8.0 / (12.0 * h));
  term(h, 8.0 / (12.0 * h));
  term(2.0 * h, -1.0 / (12.0 * h));
}

}  // namespace tamiz
