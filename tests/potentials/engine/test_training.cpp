#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/engine/edge_list.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/potentials/engine/trainer.hpp"
#include "tamiz/potentials/engine/training/label_weights.hpp"
#include "training_cases.hpp"

namespace {

using namespace tamiz;
using namespace tamiz::mace_cases;
using namespace tamiz::training_cases;

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
                               (std::string("tamiz-training-") + testing::UnitTest::GetInstance()->current_test_info()->name() + "-" + std::to_string(::getpid()));
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

TEST(Training, a_cycle_that_is_not_better_ends_a_run_which_returns_its_best_model) {
  const auto frames = teacher_frames(12), others = teacher_frames(5, 22);
  TrainConfig config = small_config();
  config.steps = 400;
  config.first_cycle = 10;

  // What another teacher says of the validation frames gets worse the better the student learns.
  const TrainResult stopped = train(config, frames, std::nullopt, {}, others);
  config.steps = 40;
  const TrainResult first = train(config, frames, std::nullopt, {}, others);

  EXPECT_TRUE(stopped.finished && stopped.stopped_early);
  EXPECT_EQ(stopped.steps, 40 + 80);
  EXPECT_FALSE(first.stopped_early);
  EXPECT_EQ(bytes_of(stopped.model), bytes_of(first.model));
}

TEST(Training, a_run_that_nothing_can_judge_goes_to_its_end) {
  auto frames = teacher_frames(12);
  for (std::size_t k = 0; k < frames.size(); k += 2) frames[k].labels = {};
  TrainConfig config = small_config();
  config.steps = 60;
  config.first_cycle = 5;
  config.validation_fraction = 0.1;
  for (std::uint64_t seed = 1; seed < 7; ++seed) {  // of several some hold out frames without labels only
    config.seed = seed;
    const TrainResult result = train(config, frames, std::nullopt);
    EXPECT_TRUE(result.stopped_early || result.steps == config.steps) << seed;
    if (result.stopped_early) {
      EXPECT_TRUE(result.validation.energy_mae) << seed;
    }
  }
}

TEST(Training, what_an_initial_model_decides_is_not_asked_for) {
  const auto frames = teacher_frames(6);
  TrainConfig config = small_config();
  config.steps = 2;
  const ModelFile model = train(config, frames, std::nullopt).model;
  config.atomic_energies = {{frames[0].structure.species().front(), -3.0}};
  EXPECT_THROW(train(config, frames, model), FormatError);
  config.atomic_energies.clear();
  config.shift_references = true;
  EXPECT_THROW(train(config, frames, std::nullopt), FormatError);
}

TEST(Training, isolated_atoms_give_the_reference_energies) {
  auto frames = teacher_frames(6);
  std::set<Element> elements;
  for (const Frame& frame : frames) elements.insert(frame.structure.species().begin(), frame.structure.species().end());
  TrainConfig config = small_config();
  config.steps = 1;
  config.validation_fraction = 0.0;
  const auto references = [&] { return train(config, frames, std::nullopt).model.description.atomic_energies; };
  const std::vector<double> fitted = references();
  double energy = -1.0;
  std::vector<double> expected;
  for (const Element element : elements) {
    if (expected.size() + 1 == elements.size()) {
      EXPECT_NE(references()[0], expected[0]) << "one element has none";
    }
    Frame alone{Structure(Lattice(Mat3::Identity() * 20.0), k_periodic, {element}, Cartesian{Coordinates::Zero(1, 3)}), {}, {}, {}};
    alone.labels.energy = energy;
    alone.labels.forces = Coordinates::Zero(1, 3);
    frames.push_back(alone);
    expected.push_back(energy);
    energy -= 0.5;
  }
  EXPECT_EQ(references(), expected);
  config.references = References::fitted;
  EXPECT_NE(references(), expected);
  EXPECT_NE(fitted, expected);
  config.references = References::both;
  EXPECT_EQ(references(), expected);
}

TEST(Training, energies_of_cohesion_are_those_that_made_the_labels) {
  auto frames = teacher_frames(12);
  std::set<Element> elements;
  for (const Frame& frame : frames) elements.insert(frame.structure.species().begin(), frame.structure.species().end());
  TrainConfig config = small_config();
  config.steps = 1;
  config.validation_fraction = 0.0;
  config.references = References::both;
  EXPECT_THROW(train(config, frames, std::nullopt), SpeciesError) << "no isolated atoms";
  for (const Element element : elements) config.atomic_energies[element] = -1.0;
  ModelDescription law = config.model;
  law.elements.assign(elements.begin(), elements.end());
  law.cohesion.clear();
  for (std::size_t k = 0; k < elements.size(); ++k) law.cohesion.push_back(-2.0 - static_cast<double>(k));
  const EdgeBuilder build(law);
  for (Frame& frame : frames) {
    const EdgeList edges = build(frame.structure);
    frame.labels.energy = -1.0 * static_cast<double>(frame.structure.size());
    frame.labels.free_energy.reset();
    for (const AtomBaseline& atom : edges.baseline) *frame.labels.energy += atom.energy;
  }

  const ModelDescription fitted = train(config, frames, std::nullopt).model.description;

  config.model.cohesion.assign(elements.size(), 5.0);  // a statistic, whatever there was
  EXPECT_EQ(train(config, frames, std::nullopt).model.description.cohesion, fitted.cohesion);
  config.model.cutoff = 0.4;
  EXPECT_THROW(train(config, frames, std::nullopt), SpeciesError) << "nothing is near";
  ASSERT_EQ(fitted.cohesion.size(), law.cohesion.size());
  for (std::size_t k = 0; k < law.cohesion.size(); ++k) EXPECT_NEAR(fitted.cohesion[k], law.cohesion[k], 1e-4) << k;
}

TEST(Training, cycles_survive_an_interruption_to_the_same_bits) {
  const TemporaryFolder folder;
  const auto frames = teacher_frames(12), others = teacher_frames(5, 22);
  TrainConfig config = small_config();
  config.steps = 400;
  config.first_cycle = 10;
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

TEST(Training, a_checkpoint_of_other_validation_frames_is_refused) {
  const TemporaryFolder folder;
  TrainCallbacks callbacks;
  callbacks.checkpoint = folder.path / "run.checkpoint";
  callbacks.should_stop = [] { return true; };
  train(small_config(), teacher_frames(9), std::nullopt, callbacks, teacher_frames(5, 22));

  EXPECT_THROW(train(small_config(), teacher_frames(9), std::nullopt, callbacks, teacher_frames(4, 22)), FormatError);
}

TEST(Training, a_checkpoint_of_other_weights_is_refused) {
  const TemporaryFolder folder;
  TrainCallbacks callbacks;
  callbacks.checkpoint = folder.path / "run.checkpoint";
  callbacks.should_stop = [] { return true; };
  auto frames = teacher_frames(9);
  train(small_config(), frames, std::nullopt, callbacks);
  frames[3].info["config_forces_weight"] = "0.5";

  EXPECT_THROW(train(small_config(), frames, std::nullopt, callbacks), FormatError);
}

TEST(Training, a_label_without_weight_teaches_nothing) {
  TrainConfig config = small_config();
  config.validation_fraction = 0.0;
  config.atomic_energies = {};
  auto frames = teacher_frames(6);
  for (const Element element : {Element(7), Element(12), Element(14)}) config.atomic_energies[element] = -1.0;
  frames[2].info["config_energy_weight"] = "0";
  frames[4].info["config_weight"] = "0.0";
  const TrainResult before = train(config, frames);
  *frames[2].labels.energy += 1.0;
  *frames[4].labels.energy -= 1.0;

  EXPECT_EQ(bytes_of(train(config, frames).model), bytes_of(before.model));

  *frames[3].labels.energy += 1.0;
  EXPECT_NE(bytes_of(train(config, frames).model), bytes_of(before.model));
}

TEST(Training, weights_of_a_frame_multiply_and_must_not_be_negative) {
  Frame frame = teacher_frames(1)[0];
  EXPECT_EQ(label_weights(frame, "training frame 0"), LabelWeights{});
  frame.info = {{"config_weight", "0.5"}, {"config_energy_weight", "0.2"}, {"config_stress_weight", "4"}};
  EXPECT_EQ(label_weights(frame, "training frame 0"), (LabelWeights{.energy = 0.1, .forces = 0.5, .stress = 2.0}));
  for (const char* bad : {"-1", "nan", "inf", "heavy"}) {
    frame.info["config_forces_weight"] = bad;
    EXPECT_THROW(label_weights(frame, "training frame 0"), FormatError) << bad;
  }
}

TEST(Training, the_only_frame_of_an_element_is_trained_on) {
  TrainConfig config = small_config();
  config.steps = 1;
  config.validation_fraction = 0.9;
  std::vector<Frame> frames = teacher_frames(12);
  for (Frame& frame : frames) {  // each has an element of its own
    std::vector<Element> species(frame.structure.size(), Element(3 + static_cast<int>(&frame - frames.data())));
    frame.structure = Structure(frame.structure.lattice(), k_periodic, species, Cartesian{frame.structure.positions()});
  }

  const TrainResult result = train(config, frames);

  EXPECT_EQ(result.model.description.elements.size(), 12u);
  EXPECT_EQ(result.validation.n_frames, 0u);
}

TEST(Training, reference_energies_of_an_initial_model_move_to_those_of_another_code) {
  const ModelFile teacher = initial_model(small_description(0), 21);
  const std::map<int, double> shifts{{7, 100.0}, {12, -20.0}, {14, 3.0}};
  std::vector<Frame> frames = teacher_frames(12);
  for (Frame& frame : frames)
    for (const Element element : frame.structure.species()) *frame.labels.energy += shifts.at(element.number());
  TrainConfig config = small_config();
  config.steps = 1;

  const TrainResult kept = train(config, frames, teacher);
  config.shift_references = true;
  const TrainResult moved = train(config, frames, teacher);

  EXPECT_EQ(kept.model.description.atomic_energies, teacher.description.atomic_energies);
  EXPECT_GT(kept.training.energy_mae.value(), 1.0);
  for (std::size_t k = 0; k < 3; ++k)
    EXPECT_NEAR(moved.model.description.atomic_energies[k] - teacher.description.atomic_energies[k],
                shifts.at(teacher.description.elements[k].number()), 1e-4);
  EXPECT_LT(moved.training.energy_mae.value(), 0.2);
}

TEST(Training, energies_of_atoms_and_those_of_cohesion_move_each_to_their_own_labels) {
  ModelFile teacher = initial_model(with(small_description(0), [](ModelDescription& d) { d.cohesion = {-7.0, -1.5, -4.5}; }), 21);
  std::vector<Frame> frames = teacher_frames(12);
  for (const Element element : teacher.description.elements) {
    frames.push_back(frames.front());
    frames.back().structure = Structure(Lattice(Mat3::Identity() * 20.0), k_periodic, {element}, Cartesian{Coordinates::Zero(1, 3)});
    frames.back().labels = {};
    frames.back().labels.forces = Coordinates::Zero(1, 3);
  }
  // What another code says: atoms 2 eV higher, and 0.5 eV less of cohesion.
  ModelFile other = teacher;
  for (double& energy : other.description.atomic_energies) energy += 2.0;
  for (double& energy : other.description.cohesion) energy += 0.5;
  const auto potential = make_potential(other, {.dtype = "float64"});
  for (Frame& frame : frames) frame.labels.energy = evaluate(*potential, {&frame.structure, 1}, {.forces = false}).energies[0];
  TrainConfig config = small_config();
  config.steps = 1;
  config.learning_rate = 1e-12;
  config.validation_fraction = 0.0;
  config.shift_references = true;

  const ModelDescription moved = train(config, frames, teacher).model.description;

  for (std::size_t k = 0; k < 3; ++k) {
    EXPECT_NEAR(moved.atomic_energies[k], other.description.atomic_energies[k], 1e-9);
    EXPECT_NEAR(moved.cohesion[k], other.description.cohesion[k], 1e-4);
  }
  std::erase_if(frames, [&](const Frame& frame) {
    const auto species = frame.structure.species();
    return species.size() > 1 && std::ranges::count(species, teacher.description.elements[2]) > 0;
  });
  ASSERT_GT(frames.size(), 3u) << "compounds of the others are left";
  EXPECT_EQ(train(config, frames, teacher).model.description.cohesion[2], teacher.description.cohesion[2]);
}

TEST(Training, related_elements_are_pulled_together_in_a_new_model_only) {
  std::vector<Frame> frames = teacher_frames(6);
  for (Frame& frame : frames) {  // calcium for silicon, beside magnesium
    std::vector<Element> species(frame.structure.species().begin(), frame.structure.species().end());
    std::ranges::replace(species, Element(14), Element(20));
    frame.structure = Structure(frame.structure.lattice(), k_periodic, species, Cartesian{frame.structure.positions()});
  }
  const auto trained = [&](std::optional<double> decay, const std::optional<ModelFile>& initial) {
    TrainConfig config = small_config();
    config.family_decay = decay;
    return train(config, frames, initial).model;
  };
  const ModelFile model = trained({}, {});

  EXPECT_EQ(bytes_of(model), bytes_of(trained(0.2, {})));
  EXPECT_NE(bytes_of(model), bytes_of(trained(0.0, {})));
  EXPECT_EQ(bytes_of(trained({}, model)), bytes_of(trained(0.0, model)));
  EXPECT_THROW(trained(-0.1, {}), UnitError);
}

TEST(Training, two_atoms_at_one_place_name_their_frame) {
  std::vector<Frame> frames = teacher_frames(4);
  Structure& broken = frames[2].structure;
  Coordinates positions = broken.positions();
  positions.row(1) = positions.row(0);
  broken = broken.with_positions(Cartesian{positions});

  try {
    train(small_config(), frames);
    FAIL() << "no error";
  } catch (const NumericsError& error) {
    EXPECT_NE(std::string(error.what()).find("training frame 2: two atoms are at one place"), std::string::npos) << error.what();
  }
}

TEST(Training, a_checkpoint_of_the_other_engine_is_refused) {
  const TemporaryFolder folder;
  TrainCallbacks callbacks;
  callbacks.checkpoint = folder.path / "run.checkpoint";
  callbacks.should_stop = [] { return true; };
  train(small_config(), teacher_frames(9), std::nullopt, callbacks);
  TrainConfig other = small_config();
  other.engine = "torch";

  try {
    train(other, teacher_frames(9), std::nullopt, callbacks);
    FAIL() << "no error";
  } catch (const FormatError&) {
  } catch (const CapabilityError& error) {
    GTEST_SKIP() << error.what();
  }
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
  EXPECT_LT(result.training.energy_mae.value(), 0.005);
  EXPECT_LT(result.training.force_mae.value(), 0.2 * result.training.mean_force.value());
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
