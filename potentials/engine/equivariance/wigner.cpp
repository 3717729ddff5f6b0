#include "tamiz/potentials/engine/equivariance/wigner.hpp"

#include <array>
#include <cmath>
#include <complex>
#include <cstdlib>
#include <string>

#include "tamiz/core/base/error.hpp"

namespace tamiz {
namespace {

constexpr int k_largest_l = 14;
constexpr double k_zero = 1e-12;

using Complex = std::complex<double>;

long double factorial(int n) {
  static const auto table = [] {
    std::array<long double, 3 * k_largest_l + 2> values{};
    values[0] = 1.0L;
    for (std::size_t k = 1; k < values.size(); ++k) values[k] = values[k - 1] * static_cast<long double>(k);
    return values;
  }();
  return table[static_cast<std::size_t>(n)];
}

/// <j1 m1 j2 m2 | j3 m3> for integer momenta by Racah's formula.
double clebsch_gordan(int j1, int m1, int j2, int m2, int j3, int m3) {
  if (m1 + m2 != m3) return 0.0;
  const long double triangle = factorial(j3 + j1 - j2) * factorial(j3 - j1 + j2) * factorial(j1 + j2 - j3) *
                               static_cast<long double>(2 * j3 + 1) / factorial(j1 + j2 + j3 + 1);
  const long double moments = factorial(j3 + m3) * factorial(j3 - m3) * factorial(j1 - m1) * factorial(j1 + m1) *
                              factorial(j2 - m2) * factorial(j2 + m2);
  long double sum = 0.0L;
  for (int k = 0; k <= j1 + j2 - j3; ++k) {
    const int a = j1 - m1 - k, b = j2 + m2 - k, c = j3 - j2 + m1 + k, d = j3 - j1 - m2 + k;
    if (a < 0 || b < 0 || c < 0 || d < 0) continue;
    const long double term =
        factorial(k) * factorial(j1 + j2 - j3 - k) * factorial(a) * factorial(b) * factorial(c) * factorial(d);
    sum += (k % 2 == 0 ? 1.0L : -1.0L) / term;
  }
  return static_cast<double>(std::sqrt(triangle) * std::sqrt(moments) * sum);
}

/// Entry (m, column) of the matrix that writes complex harmonics in real ones, m = -l..l and
/// column = 0..2l, with the phase (−i)^l that makes the real coupling coefficients real.
Complex real_to_complex(int l, int m, int column) {
  const double half = std::sqrt(0.5);
  Complex value = 0.0;
  if (m == 0) {
    value = column == l ? 1.0 : 0.0;
  } else if (m < 0) {
    if (column == l - m) value = half;
    if (column == l + m) value = Complex(0.0, -half);
  } else {
    const double sign = m % 2 == 0 ? half : -half;
    if (column == l + m) value = sign;
    if (column == l - m) value = Complex(0.0, sign);
  }
  static const std::array<Complex, 4> phases{Complex(1, 0), Complex(0, -1), Complex(-1, 0), Complex(0, 1)};
  return phases[static_cast<std::size_t>(l % 4)] * value;
}

/// One entry of the real coupling tensor before normalisation. Only ±m meet in one real component.
Complex real_entry(int l1, int c1, int l2, int c2, int l3, int c3) {
  Complex sum = 0.0;
  for (const int m1 : {-(c1 - l1), c1 - l1}) {
    for (const int m2 : {-(c2 - l2), c2 - l2}) {
      const int m3 = m1 + m2;
      if (std::abs(m3) == std::abs(c3 - l3))
        sum += real_to_complex(l1, m1, c1) * real_to_complex(l2, m2, c2) * std::conj(real_to_complex(l3, m3, c3)) *
               clebsch_gordan(l1, m1, l2, m2, l3, m3);
      if (c2 == l2) break;
    }
    if (c1 == l1) break;
  }
  return sum;
}

}  // namespace

std::vector<CouplingEntry> wigner_3j(int l1, int l2, int l3) {
  if (l1 < 0 || l2 < 0 || l3 < std::abs(l1 - l2) || l3 > l1 + l2 || l1 > k_largest_l || l2 > k_largest_l ||
      l3 > k_largest_l)
    throw ShapeError("no coupling of l = " + std::to_string(l1) + ", " + std::to_string(l2) + " and " +
                     std::to_string(l3) + ": expected 0 <= l <= 14 and |l1 - l2| <= l3 <= l1 + l2");
  std::vector<CouplingEntry> entries;
  double norm = 0.0;
  for (int c1 = 0; c1 <= 2 * l1; ++c1)
    for (int c2 = 0; c2 <= 2 * l2; ++c2)
      for (int c3 = 0; c3 <= 2 * l3; ++c3) {
        const double value = real_entry(l1, c1, l2, c2, l3, c3).real();
        if (std::abs(value) < k_zero) continue;
        entries.push_back({c1, c2, c3, value});
        norm += value * value;
      }
  for (CouplingEntry& entry : entries) entry.value /= std::sqrt(norm);
  return entries;
}

}  // namespace tamiz
