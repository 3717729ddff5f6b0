#pragma once

#include <vector>

namespace tamiz {

/// One nonzero entry of a coupling tensor; m counts from 0 to 2l.
struct CouplingEntry {
  int m1, m2, m3;
  double value;
};

/// Real Wigner 3j symbol: the invariant tensor of l1 ⊗ l2 ⊗ l3, as its nonzero entries sorted by
/// (m1, m2, m3). Frobenius norm 1; signs follow from the complex Clebsch–Gordan coefficients with the
/// Condon–Shortley phase and a factor (−i)^l per index, the convention of e3nn, so that published
/// weights keep their meaning. Real spherical harmonics are those of spherical_harmonics.hpp.
/// Throws ShapeError unless |l1 − l2| <= l3 <= l1 + l2 and all l are within 0..14.
/// Source: Edmonds, Angular Momentum in Quantum Mechanics (1957), eq. 3.6.10.
std::vector<CouplingEntry> wigner_3j(int l1, int l2, int l3);

}  // namespace tamiz
