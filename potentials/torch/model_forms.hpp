#pragma once

#include <memory>

#include "tamiz/potentials/torch/form.hpp"
#include "tamiz/potentials/torch/shard.hpp"
#include "tamiz/potentials/torch/tables.hpp"

namespace tamiz::torch_engine {

using ShardPointer = std::shared_ptr<const Shard>;

/// Slots of the forms below.
namespace slots {
inline constexpr int k_harmonics = 0, k_radial = 1, k_features = 2, k_output = 3;
inline constexpr int k_weights = 0, k_table = 1, k_values = 2;
inline constexpr int k_x = 0, k_matrix = 1, k_y = 2;
}  // namespace slots

/// The sum over neighbours of the tensor product: factors are spherical harmonics (E, (l_max + 1)²), radial
/// weights (E, n_paths·C), features ((input_l + 1)², N, C) and the output (rows·N·C), which holds for every
/// l a block (2l + 1, N, slots·C).
c10::intrusive_ptr<Form> convolution_form(ShardPointer shard, std::shared_ptr<const ConvolutionPlan> plan,
                                          std::int64_t channels);

/// Spline interpolation: factors are weights (E, 4), table (n_coefficients, Q) and values (E, Q).
c10::intrusive_ptr<Form> spline_form(ShardPointer shard, std::int64_t n_coefficients);

/// A linear map that depends on l and on the element of the atom: x ((l + 1)², N, C), matrices
/// (n_l, n_elements, C, C), y.
c10::intrusive_ptr<Form> element_linear_form(ShardPointer shard, int n_l, std::int64_t n_elements,
                                             std::int64_t channels);

/// Symmetric contraction: x (n_inputs, N, C), coefficients (n_terms, n_elements, C) → (n_outputs, N, C).
/// Twice differentiable by x, and once by the coefficients at either level.
at::Tensor symmetric_polynomial(ShardPointer shard, std::shared_ptr<const PolynomialPlan> plan, const at::Tensor& x,
                                const at::Tensor& coefficients);

/// Forces (N rows) and strain derivatives (3 rows per frame, Σ r_ij ⊗ dE/dr_ij) from the derivatives of the
/// energy by radial weights and harmonics: (N + 3·n_frames, 3).
at::Tensor forces_and_virials(ShardPointer shard, const at::Tensor& by_radial, const at::Tensor& by_harmonics);

}  // namespace tamiz::torch_engine
