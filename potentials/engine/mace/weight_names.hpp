#pragma once

#include <string>

#include "tamiz/potentials/engine/mace/layer_plan.hpp"

namespace tamiz::mace {

/// As model_parameters() names weights: block.t.rest
inline std::string named(const char* block, std::size_t t, const std::string& rest) {
  return std::string(block) + "." + std::to_string(t) + "." + rest;
}
inline std::string numbered(const char* block, std::size_t t, const char* what, std::size_t k) {
  return named(block, t, std::string(what) + "." + std::to_string(k));
}

inline std::string contraction_name(std::size_t t, const ContractionPlan::Part& part) {
  return named("products", t, "contraction." + std::to_string(part.l) + "." + std::to_string(part.order));
}

/// What the sum over neighbours is divided by.
inline double sum_norm(const ModelDescription& d, const InteractionShape& shape) {
  return shape.density ? 1.0 : d.average_neighbors;
}

}  // namespace tamiz::mace
