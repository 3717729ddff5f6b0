#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "tamiz/potentials/torch/shard.hpp"
#include "tamiz/potentials/torch/tables.hpp"

/// What kernels do on the CPU (model_forms.hpp, same shapes), as operations of LibTorch, which run on any device and
/// which its autograd differentiates. Shards must be made for them (Placement::kernels false).
namespace tamiz::torch_engine::tensors {

/// The sum over neighbours of the tensor product.
class Convolution {
 public:
  Convolution(int input_l, int l_max, const at::TensorOptions& options);
  at::Tensor operator()(const Shard& shard, const at::Tensor& harmonics, const at::Tensor& radial,
                        const at::Tensor& features) const;

 private:
  struct Path {
    std::int64_t l1, l2, l3, slot;
    at::Tensor coupling;  ///< (2·l2 + 1, (2·l3 + 1)·(2·l1 + 1))
  };
  std::vector<Path> paths_;
  int l_max_;
};

/// Symmetric contraction.
class Polynomial {
 public:
  Polynomial(const PolynomialPlan& plan, const at::TensorOptions& options);
  at::Tensor operator()(const Shard& shard, const at::Tensor& x, const at::Tensor& coefficients) const;

 private:
  struct Part {
    std::int64_t begin, size;
    std::vector<at::Tensor> factors;  ///< of each order, places in x of the terms
    at::Tensor outputs;               ///< places in the result of the terms
  };
  std::vector<Part> parts_;
  std::int64_t n_outputs_;
};

at::Tensor interpolate(const Shard& shard, const at::Tensor& weights, const at::Tensor& table);
at::Tensor element_linear(const Shard& shard, const at::Tensor& x, const at::Tensor& matrices);
at::Tensor forces_and_virials(const Shard& shard, const at::Tensor& by_radial, const at::Tensor& by_harmonics);

}  // namespace tamiz::torch_engine::tensors
