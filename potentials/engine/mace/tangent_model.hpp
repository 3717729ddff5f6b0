#pragma once

#include <span>

#include "tamiz/potentials/engine/mace/fused_model.hpp"
#include "tamiz/potentials/engine/mace/tangent_pass.hpp"

namespace tamiz::mace {

/// Parts of a sum of gradients that threads work on apart. Their number is no function of that of threads, so that what
/// they add up to is none either.
inline constexpr std::size_t k_gradient_parts = 4;

/// Behind `model.evaluate` with a request to keep rows: adds to `parts` (k_gradient_parts) the tangents along
/// `direction` of the derivatives of the energy by the weights (docs/theory.md, section 2.1).
template <typename Real>
void add_weight_gradient(const FusedModel<Real>& model, Workspace<Real>& space, const Direction& direction, int threads,
                         std::span<WeightGradients<Real>> parts);

/// Behind the same: fills `space.d_vector_tangents` with the tangents of `d_vectors` along `direction`, second
/// derivatives of the energy.
template <typename Real>
void find_vector_tangents(const FusedModel<Real>& model, Workspace<Real>& space, const Direction& direction,
                          int threads);

}  // namespace tamiz::mace
