#pragma once

#include <string>

#include "tamiz/potentials/engine/trainable.hpp"

namespace tamiz {

/// Names in the info of a frame, those that MACE reads.
namespace weight_keys {
inline constexpr const char *k_all = "config_weight", *k_energy = "config_energy_weight", *k_forces = "config_forces_weight",
                            *k_stress = "config_stress_weight";
}

/// How much the labels of a frame count: `config_weight` of its info times `config_energy_weight`, `config_forces_weight` and
/// `config_stress_weight`; 1 where it says nothing.
/// Throws FormatError that begins with `name` unless they are finite and not negative.
LabelWeights label_weights(const Frame& frame, const std::string& name);

/// Weights of the loss for one frame.
LossWeights weighted(LossWeights weights, const LabelWeights& own);

}  // namespace tamiz
