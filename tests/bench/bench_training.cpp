#include <benchmark/benchmark.h>

#include <cstdlib>

#include "bench_models.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/io/format.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/potentials/engine/training/optimizer.hpp"

namespace {

using namespace tamiz;
using namespace tamiz::bench;

/// 32 channels, scalars, l_max 3, correlation 3, two layers, 5 Å: a model for one material.
ModelDescription trained_shape(std::vector<Element> elements, int hidden_l) {
  ModelDescription d;
  d.atomic_energies.assign(elements.size(), -4.0);
  d.elements = std::move(elements);
  d.cutoff = 5.0;
  d.channels = 32;
  d.hidden_l = hidden_l;
  d.n_members = 1;
  d.average_neighbors = 28.0;
  d.scale = 0.5;
  return d;
}

/// Labels that no model meets; what a step costs does not depend on them.
std::vector<TrainingFrame> labelled(const std::vector<Structure>& structures) {
  std::vector<TrainingFrame> frames;
  for (const Structure& structure : structures) {
    Frame frame{structure, {}, {}, {}};
    frame.labels.energy = -4.6 * static_cast<double>(structure.size());
    frame.labels.forces = 0.1 * Coordinates::Random(static_cast<Eigen::Index>(structure.size()), 3);
    frames.push_back({std::move(frame), {}, {}});
  }
  return frames;
}

/// The first 12,600 atoms of the file that TAMIZ_BENCH_FRAMES names, else as many of rattled silicon.
std::vector<TrainingFrame> large_frames() {
  constexpr std::size_t k_atoms = 12600;
  std::vector<TrainingFrame> frames;
  if (const char* file = std::getenv("TAMIZ_BENCH_FRAMES")) {
    std::size_t atoms = 0;
    for (Frame& frame : read_frames(file)) {
      if (atoms + frame.structure.size() > k_atoms) break;
      atoms += frame.structure.size();
      frame.labels.stress.reset();
      frames.push_back({std::move(frame), {}, {}});
    }
    return frames;
  }
  std::vector<Structure> structures;
  for (std::size_t k = 0; k < k_atoms / 64; ++k) structures.push_back(rattled(silicon(2), k));
  return labelled(structures);
}

/// One iteration is one epoch: gradients and steps over all frames.
void epochs(benchmark::State& state, const ModelDescription& description, const std::vector<TrainingFrame>& frames,
            std::size_t batch_size, const LoadOptions& options) {
  std::unique_ptr<Trainable> model;
  try {
    model = make_trainable(initial_model(description, 1), options);
  } catch (const CapabilityError& error) {
    return state.SkipWithError(error.what());
  }
  const Optimizer optimizer(model->layout(), 0.0, options.threads);
  Optimizer::State optimizer_state = optimizer.start();
  std::vector<double> parameters(model->layout().back().offset + model->layout().back().size),
      gradient(parameters.size());
  model->get_parameters(parameters);
  const auto epoch = [&] {
    std::vector<const TrainingFrame*> batch;
    for (std::size_t k = 0; k < frames.size(); ++k) {
      batch.push_back(&frames[k]);
      if (batch.size() < batch_size && k + 1 < frames.size()) continue;
      model->set_parameters(parameters);
      model->loss_gradient(batch, {}, gradient);
      clip(gradient, 10.0);
      optimizer.step(optimizer_state, parameters, gradient, 1e-4);
      batch.clear();
    }
  };
  epoch();  // finds the neighbours
  for (auto _ : state) epoch();
  double atoms = 0.0;
  for (const TrainingFrame& frame : frames) atoms += static_cast<double>(frame.frame.structure.size());
  state.counters["us_per_atom"] = benchmark::Counter(atoms * static_cast<double>(state.iterations()) * 1e-6,
                                                     benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["atoms"] = atoms;
}

void training_epoch(benchmark::State& state, const std::string& engine, const std::string& dtype, int radial_nodes) {
  static const std::vector<TrainingFrame> frames = large_frames();
  ModelDescription description = trained_shape({Element(14)}, static_cast<int>(state.range(0)));
  description.radial_nodes = radial_nodes;
  epochs(state, description, frames, 4,
         {.dtype = dtype, .threads = static_cast<int>(state.range(1)), .engine = engine});
}
BENCHMARK_CAPTURE(training_epoch, fused, "fused", "float32", 128)
    ->ArgNames({"L", "threads"})->Args({0, 1})->Args({0, 2})->Args({1, 2})->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(training_epoch, fused_float64, "fused", "float64", 128)
    ->ArgNames({"L", "threads"})->Args({0, 2})->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(training_epoch, fused_unsplined, "fused", "float32", 0)
    ->ArgNames({"L", "threads"})->Args({0, 2})->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(1);
BENCHMARK_CAPTURE(training_epoch, libtorch, "torch", "float32", 128)
    ->ArgNames({"L", "threads"})->Args({0, 2})->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(1);
BENCHMARK_CAPTURE(training_epoch, libtorch_unsplined, "torch", "float32", 0)
    ->ArgNames({"L", "threads"})->Args({0, 2})->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(1);

std::vector<Structure> smallest_cells() {
  std::vector<Structure> cells;
  for (const Structure& cell : small_cells())
    if (cell.size() <= 8) cells.push_back(cell);
  return cells;
}

/// Crystals of up to eight atoms of six elements, eight at a time.
void training_small_cells(benchmark::State& state, const std::string& engine) {
  ModelDescription d = trained_shape(small_shape().elements, static_cast<int>(state.range(0)));
  d.channels = static_cast<int>(state.range(2));
  d.atomic_energies.assign(d.elements.size(), 0.0);
  epochs(state, d, labelled(smallest_cells()), 8, {.threads = static_cast<int>(state.range(1)), .engine = engine});
}
BENCHMARK_CAPTURE(training_small_cells, fused, "fused")
    ->ArgNames({"L", "threads", "channels"})->Args({0, 1, 32})->Args({0, 2, 32})->Args({1, 2, 32})->Args({0, 1, 128})
    ->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(training_small_cells, libtorch, "torch")
    ->ArgNames({"L", "threads", "channels"})->Args({0, 2, 32})->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(3);

void smoke_training(benchmark::State& state) {
  epochs(state, trained_shape({Element(14)}, 0), labelled({silicon(1), silicon(1)}), 2, {});
}
BENCHMARK(smoke_training)->Iterations(1);

}  // namespace
