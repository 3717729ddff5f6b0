#include "tamiz/potentials/torch/tensor_forms.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include "tamiz/potentials/engine/equivariance/coupling_paths.hpp"

namespace tamiz::torch_engine::tensors {
namespace {

/// √(2·l3 + 1) times the 3j symbols of a path, (2·l2 + 1, (2·l3 + 1)·(2·l1 + 1)).
at::Tensor coupling_tensor(const CouplingPath& path, const at::TensorOptions& options) {
  const std::int64_t n1 = 2 * path.l1 + 1, n2 = 2 * path.l2 + 1, n3 = 2 * path.l3 + 1;
  at::Tensor tensor = at::zeros({n2, n3 * n1}, at::kDouble);
  auto* values = tensor.mutable_data_ptr<double>();
  for (const CouplingEntry& entry : path.entries) values[entry.m2 * n3 * n1 + entry.m3 * n1 + entry.m1] += entry.value;
  return tensor.to(options);
}

/// One number of each of the terms [begin, end), as int64.
template <typename Number>
at::Tensor places(const PolynomialPlan& plan, const PolynomialPlan::Part& part, c10::Device device, Number number) {
  at::Tensor tensor = at::empty({part.end - part.begin}, at::kLong);
  auto* values = tensor.mutable_data_ptr<std::int64_t>();
  for (int k = part.begin; k < part.end; ++k) *values++ = number(plan.terms()[static_cast<std::size_t>(k)]);
  return tensor.to(device);
}

}  // namespace

Convolution::Convolution(int input_l, int l_max, const at::TensorOptions& options) : l_max_(l_max) {
  for (const CouplingPath& path : coupling_paths(input_l, l_max, l_max))
    paths_.push_back({path.l1, path.l2, path.l3, path.slot, coupling_tensor(path, options)});
}

at::Tensor Convolution::operator()(const Shard& shard, const at::Tensor& harmonics, const at::Tensor& radial,
                                   const at::Tensor& features) const {
  const std::int64_t edges = shard.n_edges, atoms = shard.n_atoms, channels = features.size(2);
  const at::Tensor sent = features.index_select(1, shard.by_tensors.neighbors).transpose(0, 1);  // (E, components, C)
  std::vector<std::vector<at::Tensor>> sums(static_cast<std::size_t>(l_max_) + 1);  // of every l: (N, 2l + 1, C) by slot
  for (std::size_t p = 0; p < paths_.size(); ++p) {
    const Path& path = paths_[p];
    const std::int64_t n1 = 2 * path.l1 + 1, n3 = 2 * path.l3 + 1;
    const at::Tensor coupled =
        at::mm(harmonics.narrow(1, path.l2 * path.l2, 2 * path.l2 + 1), path.coupling).view({edges, n3, n1});
    const at::Tensor weights = radial.narrow(1, static_cast<std::int64_t>(p) * channels, channels).unsqueeze(1);
    const at::Tensor messages = at::bmm(coupled, sent.narrow(1, path.l1 * path.l1, n1)) * weights;
    sums[static_cast<std::size_t>(path.l3)].push_back(
        at::zeros({atoms, n3, channels}, messages.options()).index_add(0, shard.centre_index, messages));
  }
  std::vector<at::Tensor> blocks;
  for (const auto& of_l : sums)  // paths are in the order of their slots; (2l + 1, N, slots·C)
    blocks.push_back(at::cat(of_l, 2).transpose(0, 1).reshape({-1}));
  return at::cat(blocks, 0);
}

Polynomial::Polynomial(const PolynomialPlan& plan, const at::TensorOptions& options) : n_outputs_(plan.n_outputs()) {
  for (const PolynomialPlan::Part& part : plan.parts()) {
    if (part.end == part.begin) continue;
    Part own{part.begin, part.end - part.begin, {}, {}};
    for (std::size_t k = 0; k < static_cast<std::size_t>(part.order); ++k)
      own.factors.push_back(places(plan, part, options.device(), [k](const kernels::Term& t) { return t.indices[k]; }));
    own.outputs = places(plan, part, options.device(), [](const kernels::Term& t) { return t.component; });
    parts_.push_back(std::move(own));
  }
}

at::Tensor Polynomial::operator()(const Shard& shard, const at::Tensor& x, const at::Tensor& coefficients) const {
  at::Tensor result = at::zeros({n_outputs_, x.size(1), x.size(2)}, x.options());
  for (const Part& part : parts_) {
    at::Tensor terms = coefficients.narrow(0, part.begin, part.size).index_select(1, shard.element_index);
    for (const at::Tensor& factor : part.factors) terms = terms * x.index_select(0, factor);
    result = result.index_add(0, part.outputs, terms);
  }
  return result;
}

at::Tensor interpolate(const Shard& shard, const at::Tensor& weights, const at::Tensor& table) {
  at::Tensor sum;
  for (std::int64_t k = 0; k < 4; ++k) {
    const at::Tensor term = table.index_select(0, shard.by_tensors.spline_first + k) * weights.narrow(1, k, 1);
    sum = sum.defined() ? sum + term : term;
  }
  return sum;
}

at::Tensor element_linear(const Shard& shard, const at::Tensor& x, const at::Tensor& matrices) {
  const std::int64_t n_l = matrices.size(0), channels = x.size(2);
  std::vector<at::Tensor> by_element;
  for (const auto& [element, atoms] : shard.by_tensors.atoms_of_elements) {
    const at::Tensor own = x.index_select(1, atoms);
    std::vector<at::Tensor> by_l;
    for (std::int64_t l = 0; l < n_l; ++l) {
      const at::Tensor rows = own.narrow(0, l * l, 2 * l + 1).reshape({-1, channels});
      by_l.push_back(at::mm(rows, matrices.select(0, l).select(0, element)).view({2 * l + 1, -1, channels}));
    }
    by_element.push_back(at::cat(by_l, 0));
  }
  return at::cat(by_element, 1).index_select(1, shard.by_tensors.place_by_element);
}

at::Tensor forces_and_virials(const Shard& shard, const at::Tensor& by_radial, const at::Tensor& by_harmonics) {
  const at::Tensor lengths = (shard.vectors * shard.vectors).sum(1, true).sqrt();
  const at::Tensor along = (by_radial * shard.slopes).sum(1, true) / lengths;
  const at::Tensor by_vector = along * shard.vectors + (shard.gradients * by_harmonics.unsqueeze(1)).sum(2);
  const at::Tensor forces = at::zeros({shard.n_atoms, 3}, by_vector.options())
                                .index_add(0, shard.centre_index, by_vector)
                                .index_add(0, shard.by_tensors.neighbors, -by_vector);
  const at::Tensor products = by_vector.unsqueeze(2) * shard.vectors.unsqueeze(1);
  const at::Tensor virials = at::zeros({shard.n_frames, 3, 3}, by_vector.options())
                                 .index_add(0, shard.frame_index.index_select(0, shard.centre_index), products);
  return at::cat({forces, virials.view({-1, 3})}, 0);
}

}  // namespace tamiz::torch_engine::tensors
