#pragma once

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <vector>

#include "tamiz/potentials/engine/model_parameters.hpp"
#include "tamiz/potentials/torch/model_forms.hpp"
#include "tamiz/potentials/torch/tensor_forms.hpp"

namespace tamiz::torch_engine {

/// Weights in the form in which the model applies them: path normalisation included, radial networks
/// turned into spline tables, contraction weights turned into polynomial coefficients.
struct AppliedWeights {
  struct Interaction {
    std::vector<at::Tensor> linear_up;  ///< per l (C, C)
    std::vector<at::Tensor> radial;     ///< the spline table (n_coefficients, n_paths·C), or the layers
    at::Tensor density;                 ///< its table (n_coefficients, 1), or its matrix; undefined without
    std::vector<at::Tensor> linear;     ///< per l (slots·C, C)
    at::Tensor skip;                    ///< (n_l, n_elements, C, C)
    at::Tensor contraction;             ///< (n_terms, n_elements, C)
    std::vector<at::Tensor> product;    ///< per L (C, C)
    std::vector<at::Tensor> readout;    ///< one or two layers
  };
  at::Tensor embedding;  ///< (n_elements, C)
  std::vector<Interaction> interactions;

  void visit(const std::function<void(at::Tensor&)>& use);
  /// Copies cut off from the graph that made them, themselves leaves of a new one where `with_gradient`.
  AppliedWeights detached(bool with_gradient) const;
  std::vector<at::Tensor> flat();
};

/// MACE (Batatia et al. 2022, arXiv:2206.07697) on LibTorch. Const and reentrant.
class MaceModel {
 public:
  MaceModel(ModelDescription description, at::ScalarType dtype, Placement placement = {});

  const ModelDescription& description() const { return description_; }
  const std::vector<ParameterSpec>& parameters() const { return specs_; }
  at::ScalarType dtype() const { return dtype_; }
  const RadialInput& radial() const { return radial_; }
  const Placement& placement() const { return placement_; }

  /// One tensor per entry of `parameters()`, of any float dtype → weights as applied; differentiable.
  AppliedWeights apply(const std::vector<at::Tensor>& parameters) const;

  /// Joins structures into what atom_energies() takes.
  ShardPointer shard(std::span<const EdgeList* const> structures) const {
    return make_shard(description_, radial_, structures, dtype_, placement_);
  }

  /// Interaction energy of every atom by every committee member, without reference energies
  /// (n_atoms, n_members) [eV]. `radial` and `harmonics` are the shard's, or leaves made from them. Where asked, the
  /// scalar features behind every interaction are written to `invariants` (n_atoms, n_interactions·channels).
  at::Tensor atom_energies(const ShardPointer& shard, const AppliedWeights& weights, const at::Tensor& radial,
                           const at::Tensor& harmonics, at::Tensor* invariants = nullptr) const;

 private:
  class WeightBuilder;
  at::Tensor radial_weights(const ShardPointer& shard, const AppliedWeights::Interaction& weights,
                            const at::Tensor& radial) const;
  at::Tensor message(const ShardPointer& shard, std::size_t t, const AppliedWeights::Interaction& weights,
                     const at::Tensor& features, const at::Tensor& radial, const at::Tensor& harmonics) const;
  at::Tensor density(const ShardPointer& shard, const AppliedWeights::Interaction& weights,
                     const at::Tensor& radial) const;
  /// The linear maps between features, by kernels or by tensor operations.
  at::Tensor interpolate(const ShardPointer& shard, const at::Tensor& radial, const at::Tensor& table) const;
  at::Tensor convolve(const ShardPointer& shard, std::size_t t, const at::Tensor& harmonics, const at::Tensor& weights,
                      const at::Tensor& features) const;
  at::Tensor mix_elements(const ShardPointer& shard, const at::Tensor& x, const at::Tensor& matrices) const;
  at::Tensor contract(const ShardPointer& shard, std::size_t t, const at::Tensor& x, const at::Tensor& coefficients) const;
  at::Tensor read_out(const AppliedWeights::Interaction& weights, const at::Tensor& scalars) const;

  ModelDescription description_;
  at::ScalarType dtype_;
  Placement placement_;
  std::vector<ParameterSpec> specs_;
  std::vector<InteractionShape> shapes_;
  RadialInput radial_;
  at::Tensor spline_nodes_, spline_matrix_;  ///< (n_tables·n_nodes, n_basis), (n_coefficients of a table, n_nodes)
  std::vector<std::shared_ptr<const ConvolutionPlan>> convolutions_;
  std::vector<std::shared_ptr<const PolynomialPlan>> polynomials_;
  std::vector<tensors::Convolution> tensor_convolutions_;  ///< where no kernels work
  std::vector<tensors::Polynomial> tensor_polynomials_;
  std::vector<std::vector<at::Tensor>> contraction_matrices_;  ///< per interaction and part
};

}  // namespace tamiz::torch_engine
