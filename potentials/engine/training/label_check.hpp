#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tamiz/core/structure/frame.hpp"

namespace tamiz {

/// How differences of energies compare with what their derivatives say of them: slope 1 where both are in one system
/// of units and sign.
struct LabelConsistency {
  double slope = 0.0;        ///< least squares of ΔE on the work of forces or stresses
  double correlation = 0.0;  ///< between both, −1 to 1
  std::size_t n_pairs = 0;   ///< of near frames
};

/// ΔE against −½(F₁ + F₂)·Δr between near frames of the same atoms and cell. Nothing where fewer than three pairs say
/// anything.
std::optional<LabelConsistency> force_consistency(std::span<const Frame> frames);

/// ΔE against ½(V₁σ₁ + V₂σ₂):ε between frames that differ in their cell only. Nothing where fewer than three pairs say
/// anything.
std::optional<LabelConsistency> stress_consistency(std::span<const Frame> frames);

/// Suspicions about units and signs of the labels and positions, one sentence each, with what to do. Empty where
/// nothing speaks against eV, eV/Å, eV/Å³ (tensile positive) and Å.
std::vector<std::string> label_warnings(std::span<const Frame> frames);

}  // namespace tamiz
