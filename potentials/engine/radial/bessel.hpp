#pragma once

#include <span>

namespace tamiz {

/// Radial basis of MACE at distance r, 0 < r [Å]: b_n(r) = √(2/r_c)·sin(nπr/r_c)/r·f(r), n = 1..N, with the
/// polynomial envelope f of power p (Gasteiger et al. 2020, arXiv:2003.03123, eqs. 7 and 8); zero with two
/// derivatives at the cutoff and zero beyond. Writes values and, where not empty, d/dr.
void bessel_basis(double r, double cutoff, int envelope_power, std::span<double> values,
                  std::span<double> derivatives = {});

}  // namespace tamiz
