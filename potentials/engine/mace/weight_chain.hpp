#pragma once

#include <span>

#include "tamiz/potentials/engine/mace/fused_weights.hpp"
#include "tamiz/potentials/engine/mace/weight_gradients.hpp"

namespace tamiz::mace {

/// Adds to `gradient`, in the order of model_parameters(), what derivatives by the weights as they are applied mean for
/// the stored values: back through merged matrices, spline tables and radial networks.
template <typename Real>
void add_parameter_gradient(const FusedWeights<Real>& weights, const WeightGradients<Real>& by_weights, int threads,
                            std::span<double> gradient);

}  // namespace tamiz::mace
