#pragma once

#include "tamiz/core/base/math.hpp"

namespace tamiz {

/// Stress σ = (W + Wᵀ)/2V of a virial W = ∂E/∂ε [eV] in a cell of `volume` [Å³]; zero where there is no cell (docs/conventions.md).
inline Mat3 stress_of(const Mat3& virial, double volume) {
  return volume > 0.0 ? Mat3(0.5 * (virial + virial.transpose()) / volume) : Mat3::Zero();
}

}  // namespace tamiz
