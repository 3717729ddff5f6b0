#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/engine/mace/fused_trainable.hpp"
#include "tamiz/tests/support/bits_by_instruction_set.hpp"
#include "training_cases.hpp"

namespace {

using namespace tamiz;
using namespace tamiz::mace_cases;
using training_cases::pointers, training_cases::size_of;

// Relative to the largest entry of a tensor's gradient.
constexpr double k_libtorch = 1e-9;    // float64: two ways to the same sums of some thousand terms
constexpr double k_difference = 1e-5;  // truncation of differences with a step of 1e-5
constexpr double k_narrow = 2e-3;      // float32: second derivatives of a network with random weights

struct Case {
  std::string name;
  ModelDescription description;
};

void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

using D = ModelDescription;

/// Every kind of block, order, rank and radial function, with the features that change how gradients are chained.
std::vector<Case> cases() {
  return {
      {"scalars", small_description(0)},
      {"vectors", small_description(1)},
      {"tensors", with(small_description(2, 2), [](D& d) { d.n_members = 1; })},
      {"first_order", small_description(0, 1)},
      {"second_order", with(small_description(1, 2), [](D& d) { d.repulsion = 0.0; })},
      {"fourth_order", small_description(0, 4)},
      {"cohesion", with(small_description(0, 2), [](D& d) { d.cohesion = {-7.0, -1.5, -4.5}; })},
      {"fourth_order_vectors", with(small_description(1, 4), [](D& d) { d.l_max = 2; })},
      {"residual",
       with(small_description(1, 2), [](D& d) { d.blocks = {"RealAgnosticResidual", "RealAgnosticResidual"}; })},
      {"plain", with(small_description(1, 2), [](D& d) { d.blocks = {"RealAgnostic", "RealAgnostic"}; })},
      {"density",
       with(small_description(1, 2), [](D& d) { d.blocks = {"RealAgnosticDensity", "RealAgnosticDensityResidual"}; })},
      {"density_residual_agnesi", with(small_description(1, 2),
                                       [](D& d) {
                                         d.blocks = {"RealAgnosticDensityResidual", "RealAgnosticDensity"};
                                         d.distance_transform = "agnesi";
                                       })},
      {"exact", small_description(1, 2, 0)},
      {"exact_density_apart", with(small_description(0, 2, 0),
                                   [](D& d) {
                                     d.blocks = {"RealAgnosticDensityResidual", "RealAgnosticDensityResidual"};
                                     d.envelope_on_weights = true;
                                   })},
      {"exact_gaussian_soft", with(small_description(0, 2, 0),
                                   [](D& d) {
                                     d.radial_basis = "gaussian";
                                     d.distance_transform = "soft";
                                   })},
      {"splined_density_apart", with(small_description(0, 2),
                                     [](D& d) {
                                       d.blocks = {"RealAgnosticDensity", "RealAgnosticDensity"};
                                       d.envelope_on_weights = true;
                                     })},
      {"one_layer", with(small_description(0, 2), [](D& d) { d.n_interactions = 1; })},
      {"three_layers", with(small_description(1, 2), [](D& d) { d.n_interactions = 3; })},
      {"odd_channels", with(small_description(1, 2), [](D& d) { d.channels = 20; })},
      {"many_channels", with(small_description(1, 2), [](D& d) { d.channels = 64; })},
      {"no_hidden_layer", with(small_description(0, 3),
                               [](D& d) {
                                 d.l_max = 1;
                                 d.radial_mlp = {};
                               })},
      {"scalars_alone", with(small_description(0, 2), [](D& d) { d.l_max = 0; })},
      {"high_l", with(small_description(2, 1), [](D& d) { d.l_max = 5; })},
  };
}

/// Cells of many sizes, some shorter than the cutoff, one left-handed, a molecule and a lone atom; labels from another
/// model, some missing, some far off, so that both sides of the Huber function are met.
std::vector<TrainingFrame> frames() {
  const auto teacher = make_fused_potential(initial_model(small_description(0), 21), {.dtype = "float64"});
  std::vector<Structure> structures;
  for (std::size_t k = 0; k < 5; ++k) structures.push_back(triclinic(1 + 2 * k, 100 + k, k == 2));
  structures.push_back(Structure({}, k_molecule, {Element(7), Element(14), Element(12)},
                                 Cartesian{(Coordinates(3, 3) << 0, 0, 0, 1.9, 0.1, 0, -0.4, 2.1, 0.3).finished()}));
  structures.push_back(Structure({}, k_molecule, {Element(14)}, Cartesian{Coordinates::Zero(1, 3)}));
  std::vector<TrainingFrame> frames;
  for (std::size_t k = 0; k < structures.size(); ++k) {
    const bool cell = structures[k].lattice().volume() > 0.0;
    const Prediction p = evaluate(*teacher, {&structures[k], 1}, {.forces = true, .stress = cell});
    Frame frame{structures[k], {}, {}, {}};
    frame.labels.energy = p.energies[0] + (k == 1 ? 3.0 : 0.0);
    if (k != 3) frame.labels.forces = p.forces + Coordinates::Constant(p.forces.rows(), 3, k == 4 ? 0.9 : 0.0);
    if (cell && k != 2) frame.labels.stress = p.stresses[0];
    if (k == 4) frame.labels.energy.reset();
    const double weight = 0.5 + 0.1 * static_cast<double>(k);
    frames.push_back({std::move(frame), {.energy = weight, .forces = 1.2 * weight, .stress = 1.5 - weight}, {}});
  }
  return frames;
}

/// With bootstrap weights for the members of a model.
std::vector<TrainingFrame> frames_for(const ModelDescription& d) {
  std::vector<TrainingFrame> result = frames();
  for (std::size_t k = 0; k < result.size(); ++k)
    for (int q = 0; q < d.n_members; ++q)
      result[k].member_weights.push_back(static_cast<float>((k + static_cast<std::size_t>(q)) % 3));
  return result;
}

const LossWeights k_weights{.energy = 3.0, .forces = 5.0, .stress = 200.0, .energy_delta = 0.1, .force_delta = 0.3, .stress_delta = 0.02};

struct Gradient {
  double loss = 0.0;
  std::vector<double> values;
};

Gradient gradient_of(Trainable& model, const std::vector<const TrainingFrame*>& batch,
                     const LossWeights& weights = k_weights) {
  Gradient result;
  result.values.resize(size_of(model));
  result.loss = model.loss_gradient(batch, weights, result.values);
  return result;
}

void expect_close(const Gradient& a, const Gradient& b, const std::vector<ParameterBlock>& layout, double tolerance) {
  EXPECT_NEAR(a.loss, b.loss, tolerance * std::abs(b.loss));
  ASSERT_EQ(a.values.size(), b.values.size());
  double overall = 0.0;
  for (const double value : b.values) overall = std::max(overall, std::abs(value));
  for (const ParameterBlock& block : layout) {
    double largest = 1e-6 * overall, difference = 0.0;
    for (std::size_t k = block.offset; k < block.offset + block.size; ++k) {
      largest = std::max(largest, std::abs(b.values[k]));
      difference = std::max(difference, std::abs(a.values[k] - b.values[k]));
    }
    EXPECT_LE(difference, tolerance * largest) << block.name;
  }
}

bool same_bits(const Gradient& a, const Gradient& b) {
  return a.loss == b.loss && a.values.size() == b.values.size() &&
         std::memcmp(a.values.data(), b.values.data(), a.values.size() * sizeof(double)) == 0;
}

class FusedGradient : public testing::TestWithParam<Case> {
 protected:
  const ModelDescription& description() const { return GetParam().description; }
  ModelFile model() const { return initial_model(description(), 3); }
};
INSTANTIATE_TEST_SUITE_P(shapes, FusedGradient, testing::ValuesIn(cases()),
                         [](const auto& each) { return each.param.name; });

TEST_P(FusedGradient, float64_agrees_with_libtorch) {
  std::unique_ptr<Trainable> reference;
  try {
    reference = torch_backend().make_trainable(model(), "float64", 1);
  } catch (const CapabilityError& error) {
    GTEST_SKIP() << error.what();
  }
  const auto fused = make_fused_trainable(model(), "float64", 1);
  const auto batch = frames_for(description());
  for (const LossWeights& weights : {k_weights, LossWeights{.energy_delta = 0.0, .force_delta = 0.0}}) {
    const Gradient a = gradient_of(*fused, pointers(batch), weights),
                   b = gradient_of(*reference, pointers(batch), weights);

    expect_close(a, b, reference->layout(), k_libtorch);
  }
}

TEST_P(FusedGradient, matches_differences_of_the_loss) {
  const auto fused = make_fused_trainable(model(), "float64", 1);
  const auto batch = frames_for(description());
  const Gradient gradient = gradient_of(*fused, pointers(batch));
  std::vector<double> values(gradient.values.size());
  fused->get_parameters(values);

  constexpr double k_step = 1e-5;
  Philox random(9, streams::k_initial_weights, 0, 0);
  for (const ParameterBlock& block : fused->layout()) {
    if (block.size == 0) continue;
    const std::size_t k = block.offset + random.below(block.size);
    std::vector<double> shifted = values;
    shifted[k] += k_step;
    fused->set_parameters(shifted);
    const double above = gradient_of(*fused, pointers(batch)).loss;
    shifted[k] -= 2 * k_step;
    fused->set_parameters(shifted);
    const double numeric = (above - gradient_of(*fused, pointers(batch)).loss) / (2 * k_step);
    EXPECT_NEAR(gradient.values[k], numeric, k_difference * (1.0 + std::abs(numeric))) << block.name;
  }
}

TEST_P(FusedGradient, float32_follows_float64) {
  const auto narrow = make_fused_trainable(model(), "float32", 1), wide = make_fused_trainable(model(), "float64", 1);
  const auto batch = frames_for(description());

  const Gradient a = gradient_of(*narrow, pointers(batch)), b = gradient_of(*wide, pointers(batch));

  EXPECT_NEAR(a.loss, b.loss, 1e-4 * b.loss);
  double difference = 0.0, size = 0.0;
  for (std::size_t k = 0; k < a.values.size(); ++k) {
    difference += (a.values[k] - b.values[k]) * (a.values[k] - b.values[k]);
    size += b.values[k] * b.values[k];
  }
  EXPECT_LT(std::sqrt(difference / size), k_narrow);
}

TEST_P(FusedGradient, bits_do_not_depend_on_threads_or_order) {
  const auto batch = frames_for(description());
  auto turned = pointers(batch);
  std::reverse(turned.begin(), turned.end());
  for (const std::string dtype : {"float32", "float64"}) {
    const Gradient one = gradient_of(*make_fused_trainable(model(), dtype, 1), pointers(batch));

    for (const int threads : {2, 3})
      EXPECT_TRUE(same_bits(one, gradient_of(*make_fused_trainable(model(), dtype, threads), pointers(batch))))
          << dtype << threads;
    EXPECT_TRUE(same_bits(one, gradient_of(*make_fused_trainable(model(), dtype, 2), turned))) << dtype;
  }
}

TEST(FusedTraining, a_step_leaves_nothing_behind) {
  const auto batch = frames_for(small_description(1));
  const auto fused = make_fused_trainable(initial_model(small_description(1), 3), "float32", 2);
  const auto few = std::vector<const TrainingFrame*>{&batch[5]};
  const Gradient first = gradient_of(*fused, pointers(batch));
  std::vector<double> values(first.values.size());
  fused->get_parameters(values);

  fused->set_parameters(std::vector<double>(values.size(), 0.3));
  gradient_of(*fused, few);
  fused->set_parameters(values);

  EXPECT_TRUE(same_bits(first, gradient_of(*fused, pointers(batch))));
}

TEST(FusedTraining, misuse_is_an_error) {
  const ModelFile model = initial_model(small_description(0), 3);
  const auto fused = make_fused_trainable(model, "float64", 1);
  std::vector<double> few(3);

  EXPECT_THROW(make_fused_trainable(model, "float16", 1), CapabilityError);
  EXPECT_THROW(fused->set_parameters(few), ShapeError);
  EXPECT_THROW(fused->loss_gradient({}, {}, few), ShapeError);
}

/// Run by the next test in processes of their own.
TEST(FusedTrainingBits, written_where_asked) {
  const char* target = std::getenv("TAMIZ_TEST_BITS");
  if (target == nullptr) GTEST_SKIP() << "TAMIZ_TEST_BITS names no file";
  std::ofstream out(target, std::ios::binary);
  for (const Case& each : cases())
    for (const std::string dtype : {"float32", "float64"}) {
      const auto batch = frames_for(each.description);
      const Gradient gradient =
          gradient_of(*make_fused_trainable(initial_model(each.description, 5), dtype, 1), pointers(batch));
      out.write(reinterpret_cast<const char*>(gradient.values.data()),
                static_cast<std::streamsize>(gradient.values.size() * sizeof(double)));
    }
}

TEST(FusedTrainingBits, are_the_same_on_avx2_and_avx512) {
  if (!__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq"))
    GTEST_SKIP() << "this processor has no AVX-512";
  const std::string filter = "FusedTrainingBits.written*";

  const std::string two = test_support::bits_under("avx2", filter);

  EXPECT_GT(two.size(), 1000u);
  EXPECT_TRUE(two == test_support::bits_under("avx512", filter));
}

}  // namespace
