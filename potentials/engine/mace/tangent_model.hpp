#pragma once

#include <span>

#include "tamiz/potentials/engine/mace/fused_model.hpp"
#include "tamiz/potentials/engine/mace/tangent_pass.hpp"

namespace tamiz::mace {

/// Most parts of a sum of gradients that threads work on apart. Their number is a function of the atoms and none of the
/// threads, so that what they add up to depends on nothing else either.
inline constexpr std::size_t k_most_parts = 16;

/// Behind `model.evaluate` with a request to keep rows: adds to `parts` (k_most_parts) the tangents along
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
