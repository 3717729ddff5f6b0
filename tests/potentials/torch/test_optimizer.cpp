#include <ATen/ops/from_blob.h>
#include <gtest/gtest.h>
#include <torch/nn/utils/clip_grad.h>
#include <torch/optim/adamw.h>

#include <cmath>
#include <numeric>

#include "tamiz/core/base/philox.hpp"
#include "tamiz/potentials/engine/training/optimizer.hpp"

// The optimiser of trainings beside that of LibTorch.

namespace {

using namespace tamiz;

constexpr std::size_t k_decaying = 40000, k_free = 700;  // more than a piece of the work that threads take
constexpr int k_steps = 60;

/// Numbers of either sign whose size differs by orders of magnitude, some of them 0.
std::vector<double> numbers(std::size_t count, std::uint64_t seed) {
  Philox random(seed, streams::k_training, 0, 0);
  std::vector<double> values(count);
  for (double& value : values) value = (random.uniform() - 0.5) * std::pow(10.0, -6.0 * random.uniform());
  for (std::size_t k = 0; k < count; k += 17) values[k] = 0.0;
  return values;
}

at::Tensor tensor(std::span<const double> values) {
  return at::from_blob(const_cast<double*>(values.data()), {static_cast<std::int64_t>(values.size())}, at::kDouble).clone();
}

double learning_rate(int step) { return 0.01 * std::exp(-0.05 * step); }

/// Largest difference of the parameters after all steps, relative to a learning rate.
double difference_to_torch(double weight_decay, int threads) {
  std::vector<double> parameters = numbers(k_decaying + k_free, 1);
  at::Tensor decaying = tensor(std::span(parameters).first(k_decaying)).requires_grad_(true);
  at::Tensor free = tensor(std::span(parameters).last(k_free)).requires_grad_(true);
  using Options = torch::optim::AdamWOptions;
  const auto options = [](double decay) { return std::make_unique<Options>(Options(1e-3).weight_decay(decay).amsgrad(true)); };
  torch::optim::AdamW reference({torch::optim::OptimizerParamGroup({decaying}, options(weight_decay)),
                                 torch::optim::OptimizerParamGroup({free}, options(0.0))},
                                Options(1e-3));
  const Optimizer optimizer({{"decaying", 0, k_decaying, true}, {"free", k_decaying, k_free, false}}, weight_decay, threads);
  Optimizer::State state = optimizer.start();
  for (int step = 0; step < k_steps; ++step) {
    const std::vector<double> gradient = numbers(k_decaying + k_free, static_cast<std::uint64_t>(2 + step));
    optimizer.step(state, parameters, gradient, learning_rate(step));
    decaying.mutable_grad() = tensor(std::span(gradient).first(k_decaying));
    free.mutable_grad() = tensor(std::span(gradient).last(k_free));
    for (auto& group : reference.param_groups()) static_cast<Options&>(group.options()).lr(learning_rate(step));
    reference.step();
  }
  const double of_decaying = (tensor(std::span(parameters).first(k_decaying)) - decaying).abs().max().item<double>();
  const double of_free = (tensor(std::span(parameters).last(k_free)) - free).abs().max().item<double>();
  return std::max(of_decaying, of_free) / learning_rate(0);
}

TEST(Optimizer, takes_the_steps_of_adamw_with_amsgrad_of_libtorch) {
  EXPECT_LT(difference_to_torch(0.0, 1), 1e-12);
  EXPECT_LT(difference_to_torch(0.1, 1), 1e-12);
  EXPECT_LT(difference_to_torch(0.1, 2), 1e-12);
}

TEST(Optimizer, a_long_gradient_is_clipped_as_by_libtorch) {
  std::vector<double> gradient = numbers(k_free, 3);
  at::Tensor parameter = tensor(gradient).requires_grad_(true);
  parameter.mutable_grad() = tensor(gradient);
  const double norm = std::sqrt(std::inner_product(gradient.begin(), gradient.end(), gradient.begin(), 0.0));
  const double limit = norm / 3.0;

  const double ours = clip(gradient, limit), theirs = torch::nn::utils::clip_grad_norm_(parameter, limit);

  EXPECT_NEAR(ours, norm, 1e-14);
  EXPECT_NEAR(ours, theirs, 1e-12);
  // LibTorch adds 1e-6 to the norm that it divides by.
  EXPECT_LT((tensor(gradient) - parameter.grad() * ((norm + 1e-6) / norm)).abs().max().item<double>(), 1e-14);
}

TEST(Optimizer, a_short_gradient_is_left_alone) {
  std::vector<double> gradient = numbers(k_free, 3);
  const std::vector<double> before = gradient;

  clip(gradient, 1e9);

  EXPECT_EQ(gradient, before);
}

TEST(Optimizer, a_gradient_that_is_not_finite_is_not_hidden_by_clipping) {
  std::vector<double> gradient{1.0, std::nan(""), 2.0};

  EXPECT_FALSE(std::isfinite(clip(gradient, 1.0)));
}

TEST(ParameterAverage, follows_the_recurrence_and_forgets_the_start) {
  constexpr double k_decay = 0.9;
  std::vector<double> average{100.0};
  at::Tensor reference = tensor(average);

  for (int step = 1; step <= 500; ++step) {
    const std::vector<double> parameters{std::sin(0.1 * step)};
    update_average(average, parameters, step, k_decay);
    reference.lerp_(tensor(parameters), 1.0 - std::min(k_decay, step / (step + 10.0)));
  }

  EXPECT_NEAR(average[0], reference.item<double>(), 1e-12);
  // Of a sine of frequency w behind many steps: the real filter (1 − d)/(1 − d·e^{−iw}) applied to it.
  const std::complex<double> filter = (1.0 - k_decay) / (1.0 - k_decay * std::polar(1.0, -0.1));
  EXPECT_NEAR(average[0], std::imag(filter * std::polar(1.0, 0.1 * 500)), 1e-12);
}

}  // namespace
