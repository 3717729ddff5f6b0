#pragma once

#include <string>

#include "tamiz/potentials/engine/trainable.hpp"

namespace tamiz {

/// How much the labels of a frame count: `config_weight` of its info times `config_energy_weight`, `config_forces_weight` and
/// `config_stress_weight`, the names that MACE reads; 1 where it says nothing.
/// Throws FormatError that begins with `name` unless they are finite and not negative.
LabelWeights label_weights(const Frame& frame, const std::string& name);

}  // namespace tamiz
