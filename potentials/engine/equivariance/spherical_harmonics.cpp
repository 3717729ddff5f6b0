#include "tamiz/potentials/engine/equivariance/spherical_harmonics.hpp"

#include <array>
#include <cmath>

namespace tamiz {
namespace {

constexpr std::size_t k_size = k_max_harmonic + 2;

/// sqrt((2l + 1)(2 − δ_m0)(l − m)!/(l + m)!)
double prefactor(int l, int m) {
  static const auto table = [] {
    std::array<std::array<double, k_size>, k_size> values{};
    for (int a = 0; a <= k_max_harmonic; ++a)
      for (int b = 0; b <= a; ++b) {
        double ratio = (2.0 * a + 1.0) * (b == 0 ? 1.0 : 2.0);
        for (int k = a - b + 1; k <= a + b; ++k) ratio /= k;
        values[static_cast<std::size_t>(a)][static_cast<std::size_t>(b)] = std::sqrt(ratio);
      }
    return values;
  }();
  return table[static_cast<std::size_t>(l)][static_cast<std::size_t>(m)];
}

/// d^m P_l / dz^m for all l, m up to l_max; entries with m > l are zero.
using Legendre = std::array<std::array<double, k_size>, k_size>;
Legendre legendre_derivatives(double z, int l_max) {
  Legendre p{};
  double diagonal = 1.0;
  for (std::size_t m = 0; m <= static_cast<std::size_t>(l_max); ++m) {
    if (m > 0) diagonal *= static_cast<double>(2 * m - 1);
    p[m][m] = diagonal;
    for (std::size_t l = m + 1; l <= static_cast<std::size_t>(l_max); ++l) {
      const double below = l >= 2 ? p[l - 2][m] : 0.0;
      const double a = static_cast<double>(2 * l - 1), b = static_cast<double>(l + m - 1);
      p[l][m] = (a * z * p[l - 1][m] - b * below) / static_cast<double>(l - m);
    }
  }
  return p;
}

}  // namespace

void spherical_harmonics(const Vec3& vector, int l_max, std::span<double> values, std::span<double> gradients) {
  const double length = vector.norm();
  const Vec3 unit = vector / length;
  const double x = unit[2], y = unit[0], z = unit[1];
  const Legendre p = legendre_derivatives(z, l_max);
  // Re and Im of (x + iy)^m.
  std::array<double, k_size> re{1.0}, im{0.0};
  for (std::size_t m = 1; m <= static_cast<std::size_t>(l_max); ++m) {
    re[m] = x * re[m - 1] - y * im[m - 1];
    im[m] = x * im[m - 1] + y * re[m - 1];
  }
  const auto store = [&](int index, double value, double dx, double dy, double dz) {
    values[static_cast<std::size_t>(index)] = value;
    if (gradients.empty()) return;
    // The polynomial is of the unit vector: only the tangential part counts.
    const Vec3 plain(dy, dz, dx);
    const Vec3 projected = (plain - unit * unit.dot(plain)) / length;
    for (int k = 0; k < 3; ++k) gradients[static_cast<std::size_t>(3 * index + k)] = projected[k];
  };
  for (int l = 0; l <= l_max; ++l) {
    const auto& row = p[static_cast<std::size_t>(l)];
    store(l * l + l, prefactor(l, 0) * row[0], 0.0, 0.0, prefactor(l, 0) * row[1]);
    for (int m = 1; m <= l; ++m) {
      const auto k = static_cast<std::size_t>(m);
      const double f = prefactor(l, m), fp = f * row[k], fdp = f * row[k + 1];
      store(l * l + l + m, fp * re[k], fp * m * re[k - 1], -fp * m * im[k - 1], fdp * re[k]);
      store(l * l + l - m, fp * im[k], fp * m * im[k - 1], fp * m * re[k - 1], fdp * im[k]);
    }
  }
}

}  // namespace tamiz
