#include <gtest/gtest.h>

#include <cmath>

#include "tamiz/tests/potentials/engine/training_cases.hpp"

namespace {

using namespace tamiz;
using namespace tamiz::mace_cases;
using namespace tamiz::training_cases;

/// A shape with every part whose weights take gradients.
ModelDescription with_density_and_transform(int radial_nodes) {
  ModelDescription d = small_description(1, 2, radial_nodes);
  d.blocks = {"RealAgnosticDensityResidual", "RealAgnosticDensity"};
  d.distance_transform = "agnesi";
  d.envelope_on_weights = radial_nodes == 0;
  return d;
}

class LossGradient : public testing::TestWithParam<ModelDescription> {};
INSTANTIATE_TEST_SUITE_P(shapes, LossGradient,
                         testing::Values(small_description(0), small_description(1), with_density_and_transform(64),
                                         with_density_and_transform(0)),
                         [](const auto& shape) { return "shape" + std::to_string(shape.index); });

TEST_P(LossGradient, matches_differences_of_the_loss) {
  const auto model = torch_backend().make_trainable(initial_model(GetParam(), 3), "float64", 1);
  const auto frames = training_frames(teacher_frames(4));
  const LossWeights weights{.energy = 3.0, .forces = 5.0, .stress = 200.0, .energy_delta = 0.1, .force_delta = 0.3, .stress_delta = 0.02};
  std::vector<double> values(size_of(*model)), gradient(values.size()), unused(values.size());
  model->get_parameters(values);

  model->loss_gradient(pointers(frames), weights, gradient);

  constexpr double k_step = 1e-5;
  for (const ParameterBlock& block : model->layout())
    for (const std::size_t k : {block.offset, block.offset + block.size / 2, block.offset + block.size - 1}) {
      std::vector<double> shifted = values;
      shifted[k] += k_step;
      model->set_parameters(shifted);
      const double above = model->loss_gradient(pointers(frames), weights, unused);
      shifted[k] -= 2 * k_step;
      model->set_parameters(shifted);
      const double below = model->loss_gradient(pointers(frames), weights, unused);
      const double numeric = (above - below) / (2 * k_step);
      // Truncation h²·f''' and rounding 1e-16·loss/h, both far below the gradients of order 0.1 to 100.
      EXPECT_NEAR(gradient[k], numeric, 1e-5 * (1.0 + std::abs(numeric))) << block.name;
    }
}

TEST(TorchTrainable, the_gradient_does_not_depend_on_the_number_of_threads) {
  const auto frames = training_frames(teacher_frames(7));
  std::vector<std::vector<double>> gradients;
  for (const int threads : {1, 2, 3}) {
    const auto model = torch_backend().make_trainable(initial_model(small_description(0), 3), "float32", threads);
    model->loss_gradient(pointers(frames), {}, gradients.emplace_back(size_of(*model)));
  }

  EXPECT_EQ(gradients[0], gradients[1]);
  EXPECT_EQ(gradients[0], gradients[2]);
}

}  // namespace
