#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/sum.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/library.h>

#include "mace_cases.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/neighbors/neighbor_list.hpp"
#include "tamiz/potentials/torch/mace_model.hpp"
#include "tamiz/potentials/torch/parameters.hpp"
#include "tamiz/potentials/torch/torch_potential.hpp"

// What any device but the CPU runs: operations of LibTorch in place of the kernels. They are compared with the kernels on
// the CPU, and followed through the device "meta", which has shapes and no numbers, where an operation between tensors
// on two devices, or a look at a tensor's memory, is an error.

namespace {

using namespace tamiz;
using namespace tamiz::mace_cases;
using namespace tamiz::torch_engine;

constexpr double k_rounding = 1e-11;  // float64 sums of some hundred terms of order 1 to 10

ModelDescription shape(int hidden_l, int correlation, int radial_nodes, std::vector<std::string> blocks = {},
                       const std::string& transform = "none", bool envelope_on_weights = false) {
  ModelDescription d = small_description(hidden_l, correlation, radial_nodes);
  d.blocks = std::move(blocks);
  d.distance_transform = transform;
  d.envelope_on_weights = envelope_on_weights;
  return d;
}

const std::vector<std::string> k_density{"RealAgnosticDensity", "RealAgnosticDensityResidual"};

class Devices : public testing::TestWithParam<ModelDescription> {};
INSTANTIATE_TEST_SUITE_P(shapes, Devices,
                         testing::Values(shape(0, 3, 64), shape(0, 2, 0), shape(1, 4, 64), shape(2, 2, 0), shape(0, 1, 64),
                                         shape(1, 2, 64, {"RealAgnosticResidual", "RealAgnosticResidual"}),
                                         shape(2, 2, 0, k_density, "agnesi"), shape(1, 2, 64, k_density, "soft", true)),
                         [](const auto& each) { return "shape" + std::to_string(each.index); });

/// The only operation here that LibTorch has no form of for "meta" outside Python.
at::Tensor select_of_shapes(const at::Tensor& self, std::int64_t axis, const at::Tensor& index) {
  TORCH_CHECK(index.device() == self.device(), "index_select across devices");
  auto sizes = self.sizes().vec();
  sizes[static_cast<std::size_t>(axis)] = index.size(0);
  return at::empty(sizes, self.options());
}
TORCH_LIBRARY_IMPL(aten, Meta, library) { library.impl("index_select", select_of_shapes); }

struct Results {
  at::Tensor energies, invariants, forces_and_virials;
};

/// Edge lists of structures of which one has an atom alone.
std::vector<EdgeList> edges_of(const ModelDescription& d) {
  EdgeCache cache(d);
  std::vector<EdgeList> lists;
  const Structure alone({}, {false, false, false}, {Element(12)}, Cartesian{Coordinates::Zero(1, 3)});
  for (const Structure& structure : {triclinic(3, 1), alone, triclinic(9, 2, true), triclinic(5, 3)})
    lists.push_back(*cache.edges(structure, structure.content_hash()));
  return lists;
}

Results run(const ModelFile& file, Placement placement) {
  const MaceModel model(file.description, at::kDouble, placement);
  std::vector<at::Tensor> parameters = parameter_tensors(model, flat_parameters(file), at::kDouble);
  for (at::Tensor& parameter : parameters) parameter = parameter.to(placement.device);
  const AppliedWeights weights = model.apply(parameters);
  const std::vector<EdgeList> lists = edges_of(file.description);
  std::vector<const EdgeList*> pointers;
  for (const EdgeList& list : lists) pointers.push_back(&list);
  const ShardPointer shard = model.shard(pointers);
  const at::AutoGradMode mode(true);
  const at::Tensor radial = shard->radial.detach().requires_grad_(true);
  const at::Tensor harmonics = shard->harmonics.detach().requires_grad_(true);
  Results results;
  results.energies = model.atom_energies(shard, weights, radial, harmonics, &results.invariants);
  const auto slopes = torch::autograd::grad({results.energies.mean(1).sum()}, {radial, harmonics});
  results.forces_and_virials = forces_and_virials(shard, slopes[0], slopes[1]);
  return results;
}

double largest(const at::Tensor& tensor) { return tensor.abs().max().item<double>(); }

TEST_P(Devices, tensor_operations_agree_with_the_kernels) {
  const ModelFile model = initial_model(GetParam(), 7);

  const Results by_kernels = run(model, {}), by_tensors = run(model, {at::kCPU, false});

  EXPECT_GT(largest(by_kernels.forces_and_virials), 0.01);
  EXPECT_LT(largest(by_kernels.energies - by_tensors.energies), k_rounding);
  EXPECT_LT(largest(by_kernels.invariants - by_tensors.invariants), k_rounding);
  EXPECT_LT(largest(by_kernels.forces_and_virials - by_tensors.forces_and_virials), 10 * k_rounding);
}

TEST_P(Devices, nothing_stays_behind_on_the_cpu) {
  const ModelFile model = initial_model(GetParam(), 7);

  const Results there = run(model, {at::kMeta, false}), here = run(model, {});

  for (const auto& [on_device, on_cpu] : {std::pair{there.energies, here.energies}, {there.invariants, here.invariants},
                                          {there.forces_and_virials, here.forces_and_virials}}) {
    EXPECT_TRUE(on_device.is_meta());
    EXPECT_EQ(on_device.sizes(), on_cpu.sizes());
    EXPECT_EQ(on_device.scalar_type(), on_cpu.scalar_type());
  }
}

TEST(Placement, the_cpu_has_kernels) {
  const Placement placement = placement_on("cpu");

  EXPECT_TRUE(placement.device.is_cpu());
  EXPECT_TRUE(placement.kernels);
}

TEST(Placement, a_device_that_is_not_there_is_an_error_that_names_it) {
  for (const std::string name : {"quantum", "cuda:x", "", "meta", "cuda:77"}) {
    try {
      placement_on(name);
      ADD_FAILURE() << name;
    } catch (const CapabilityError& error) {
      EXPECT_NE(std::string(error.what()).find("'" + name + "'"), std::string::npos) << error.what();
    }
  }
}

TEST(Placement, a_gpu_gives_the_forces_of_the_cpu) {
  const ModelFile model = initial_model(shape(1, 3, 64), 7);
  std::unique_ptr<Potential> there;
  try {
    there = torch_backend().make_potential(model, {.dtype = "float64", .device = "cuda", .threads = 1});
  } catch (const CapabilityError& error) {
    GTEST_SKIP() << error.what();
  }
  const std::vector<Structure> structures{triclinic(3, 1), triclinic(40, 2)};
  const Outputs outputs{.forces = true, .stress = true, .descriptors = true};

  const Prediction on_gpu = evaluate(*there, structures, outputs);
  const Prediction on_cpu = evaluate(*potential_of(model), structures, outputs);

  EXPECT_LT((on_gpu.energies - on_cpu.energies).cwiseAbs().maxCoeff(), 1e-9);
  EXPECT_LT((on_gpu.forces - on_cpu.forces).cwiseAbs().maxCoeff(), 1e-9);
  EXPECT_LT((on_gpu.descriptors - on_cpu.descriptors).cwiseAbs().maxCoeff(), 1e-9);
  for (std::size_t s = 0; s < structures.size(); ++s)
    EXPECT_LT((on_gpu.stresses[s] - on_cpu.stresses[s]).cwiseAbs().maxCoeff(), 1e-10);
}

}  // namespace
