#pragma once

#include <span>

#include "tamiz/core/base/math.hpp"

namespace tamiz {

inline constexpr int k_max_harmonic = 6;

constexpr int n_harmonics(int l_max) { return (l_max + 1) * (l_max + 1); }

/// Real spherical harmonics of a direction for l = 0..l_max (<= 6), component normalisation
/// (Σ_m Y_lm² = 2l + 1), order l² + (m + l). The polar axis is y and the azimuth runs in the zx plane,
/// so that l = 1 is √3·(x, y, z), as in e3nn.
///
/// `vector` [Å], any length > 0. `values` ((l_max + 1)²). `gradients` ((l_max + 1)², 3) takes dY/dvector
/// [1/Å], row-major; leave it empty when it is not needed.
void spherical_harmonics(const Vec3& vector, int l_max, std::span<double> values, std::span<double> gradients = {});

}  // namespace tamiz
