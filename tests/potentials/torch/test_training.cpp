#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "mace_cases.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/potentials/engine/trainer.hpp"

namespace {

using namespace tamiz;
using namespace tamiz::mace_cases;

/// Frames labelled by a model that the student does not start from.
std::vector<Frame> teacher_frames(std::size_t count, const Potential& teacher) {
  std::vector<Frame> frames;
  for (std::size_t k = 0; k < count; ++k) {
    Frame frame{triclinic(2 + k % 4, 100 + k), {}, {}, {}};
    const Prediction p = evaluate(teacher, {&frame.structure, 1}, {.forces = true, .stress = true});
    frame.labels.energy = p.energies[0];
    frame.labels.forces = p.forces;
    frame.labels.stress = p.stresses[0];
    frames.push_back(std::move(frame));
  }
  return frames;
}

std::vector<Frame> teacher_frames(std::size_t count) {
  return teacher_frames(count, *potential_of(initial_model(small_description(0), 21)));
}

std::vector<TrainingFrame> training_frames(const std::vector<Frame>& frames) {
  std::vector<TrainingFrame> result;
  for (std::size_t k = 0; k < frames.size(); ++k)
    result.push_back({frames[k], 0.5 + 0.1 * static_cast<double>(k), {1.0F, 0.0F, 2.0F}});
  return result;
}

std::vector<const TrainingFrame*> pointers(const std::vector<TrainingFrame>& frames) {
  std::vector<const TrainingFrame*> result;
  for (const TrainingFrame& frame : frames) result.push_back(&frame);
  return result;
}

std::size_t size_of(const Trainable& model) {
  return model.layout().back().offset + model.layout().back().size;
}

TrainConfig small_config() {
  TrainConfig config;
  config.model = small_description(0);
  config.model.elements = {};
  config.steps = 12;
  config.batch_size = 3;
  config.dtype = "float64";
  config.threads = 1;
  return config;
}

struct TemporaryFolder {
  std::filesystem::path path = std::filesystem::temp_directory_path() /
                               (std::string("tamiz-training-") + testing::UnitTest::GetInstance()->current_test_info()->name());
  TemporaryFolder() {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path);
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
};

std::string bytes_of(const ModelFile& model) {
  std::string bytes = to_json(model.description);
  for (const Tensor& tensor : model.tensors) bytes += tensor.bytes;
  return bytes;
}

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
  const LossWeights weights{.energy = 3.0, .forces = 5.0, .stress = 200.0, .energy_delta = 0.1, .force_delta = 0.3};
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

TEST(Training, the_gradient_does_not_depend_on_the_number_of_threads) {
  const auto frames = training_frames(teacher_frames(7));
  std::vector<std::vector<double>> gradients;
  for (const int threads : {1, 2, 3}) {
    const auto model = torch_backend().make_trainable(initial_model(small_description(0), 3), "float32", threads);
    model->loss_gradient(pointers(frames), {}, gradients.emplace_back(size_of(*model)));
  }

  EXPECT_EQ(gradients[0], gradients[1]);
  EXPECT_EQ(gradients[0], gradients[2]);
}

TEST(Training, a_stopped_and_resumed_run_gives_the_same_bits) {
  const TemporaryFolder folder;
  const auto frames = teacher_frames(9);
  const TrainConfig config = small_config();
  const TrainResult whole = train(config, frames);
  TrainCallbacks callbacks;
  callbacks.checkpoint = folder.path / "run.checkpoint";
  int calls = 0;
  callbacks.should_stop = [&] { return ++calls == 6; };

  const TrainResult stopped = train(config, frames, std::nullopt, callbacks);
  const TrainResult resumed = train(config, frames, std::nullopt, callbacks);

  EXPECT_FALSE(stopped.finished);
  EXPECT_EQ(stopped.steps, 5);
  ASSERT_TRUE(resumed.finished);
  EXPECT_EQ(bytes_of(resumed.model), bytes_of(whole.model));
}

TEST(Training, patience_ends_a_run_and_returns_its_best_model) {
  const auto frames = teacher_frames(12), others = teacher_frames(5, *potential_of(initial_model(small_description(0), 22)));
  TrainConfig config = small_config();
  config.steps = 400;
  config.validations = 100;
  config.patience = 3;

  // What another teacher says of the validation frames gets worse the better the student learns.
  const TrainResult stopped = train(config, frames, std::nullopt, {}, others);
  config.patience = 0;
  const TrainResult whole = train(config, frames, std::nullopt, {}, others);

  EXPECT_TRUE(stopped.finished && stopped.stopped_early);
  EXPECT_LT(stopped.steps, whole.steps);
  EXPECT_FALSE(whole.stopped_early);
  EXPECT_LT(stopped.validation.energy_mae / 0.02 + stopped.validation.force_mae / 0.1,
            whole.validation.energy_mae / 0.02 + whole.validation.force_mae / 0.1);
}

TEST(Training, patience_survives_an_interruption_to_the_same_bits) {
  const TemporaryFolder folder;
  const auto frames = teacher_frames(12), others = teacher_frames(5, *potential_of(initial_model(small_description(0), 22)));
  TrainConfig config = small_config();
  config.steps = 400;
  config.validations = 100;
  config.patience = 3;
  const TrainResult whole = train(config, frames, std::nullopt, {}, others);
  int asked = 0;
  TrainCallbacks callbacks;
  callbacks.checkpoint = folder.path / "checkpoint";
  callbacks.should_stop = [&] { return ++asked == whole.steps / 2; };

  const TrainResult half = train(config, frames, std::nullopt, callbacks, others);
  const TrainResult rest = train(config, frames, std::nullopt, callbacks, others);

  EXPECT_FALSE(half.finished);
  EXPECT_EQ(rest.steps, whole.steps);
  EXPECT_EQ(bytes_of(rest.model), bytes_of(whole.model));
}

TEST(Training, a_checkpoint_of_other_frames_is_refused) {
  const TemporaryFolder folder;
  TrainCallbacks callbacks;
  callbacks.checkpoint = folder.path / "run.checkpoint";
  callbacks.should_stop = [] { return true; };
  train(small_config(), teacher_frames(9), std::nullopt, callbacks);

  EXPECT_THROW(train(small_config(), teacher_frames(8), std::nullopt, callbacks), FormatError);
}

TEST(Training, learns_a_stillinger_weber_crystal) {
  const auto teacher = load_potential(std::filesystem::path(TAMIZ_SOURCE_DIR) / "datasets/potentials/stillinger-weber-si.toml");
  std::vector<Frame> frames;
  for (std::size_t k = 0; k < 24; ++k) {
    Philox random(5, streams::k_crystals, k, 0);
    Mat3 cell;
    cell << 0, 2.715, 2.715, 2.715, 0, 2.715, 2.715, 2.715, 0;
    cell *= 0.96 + 0.004 * static_cast<double>(k);
    Coordinates fractional = Coordinates::Constant(2, 3, 0.25);
    fractional.row(0).setZero();
    for (int d = 0; d < 3; ++d) fractional(1, d) += 0.03 * (random.uniform() - 0.5);
    Frame frame{Structure(Lattice(cell), k_periodic, {Element(14), Element(14)}, Fractional{fractional}), {}, {}, {}};
    const Prediction p = evaluate(*teacher, {&frame.structure, 1}, {.forces = true, .stress = true});
    frame.labels = {.energy = p.energies[0], .free_energy = std::nullopt, .forces = p.forces, .stress = p.stresses[0]};
    frames.push_back(std::move(frame));
  }
  TrainConfig config = small_config();
  config.steps = 300;
  config.batch_size = 4;

  const TrainResult result = train(config, frames);

  // The energies of these frames spread over 0.12 eV/atom and the mean force is 0.4 eV/Å.
  EXPECT_LT(result.training.energy_mae, 0.005);
  EXPECT_LT(result.training.force_mae, 0.2 * result.training.mean_force);
}

TEST(Training, an_energy_that_is_not_finite_names_the_frame) {
  auto frames = teacher_frames(3);
  frames[1].labels.energy = std::nan("");

  try {
    train(small_config(), frames);
    FAIL() << "no error";
  } catch (const NumericsError& error) {
    EXPECT_NE(std::string(error.what()).find("frame 1"), std::string::npos) << error.what();
  }
}

}  // namespace
