#include <benchmark/benchmark.h>

#include "bench_models.hpp"
#include "bench_peak.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/version.hpp"
#include "tamiz/core/simulation/relax.hpp"
#include "tamiz/potentials/engine/kernels/kernels.hpp"
#include "tamiz/potentials/engine/mace/fused_potential.hpp"
#include "tamiz/potentials/engine/torch_backend.hpp"

namespace {

using namespace tamiz;
using namespace tamiz::bench;

const Outputs k_outputs{.forces = true, .stress = true};

using Maker = std::unique_ptr<Potential> (*)(const ModelFile&, const LoadOptions&);

/// Energy, forces and stress of structures whose neighbours are known.
void evaluate_many(benchmark::State& state, const ModelDescription& description,
                   const std::vector<Structure>& structures, const LoadOptions& options,
                   Maker make = make_fused_potential) {
  const auto potential = make(initial_model(description, 1), options);
  const Batch batch(structures);
  const State now = State::of(structures);
  const NeighborList neighbors = build_neighbors(batch, now, potential->neighbors());
  benchmark::DoNotOptimize(potential->evaluate(batch, now, neighbors, k_outputs));  // weights of the elements
  for (auto _ : state) benchmark::DoNotOptimize(potential->evaluate(batch, now, neighbors, k_outputs));
  const auto atoms = static_cast<double>(batch.n_atoms());
  const double done = static_cast<double>(state.iterations()) * atoms;
  state.counters["us_per_atom"] =
      benchmark::Counter(done * 1e-6, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  count_operations(state, atoms * operations(description, static_cast<double>(neighbors.n_pairs()) / atoms));
  state.counters["neighbors"] = static_cast<double>(neighbors.n_pairs()) / atoms;
}

void silicon_evaluation(benchmark::State& state, const std::string& dtype, int radial_nodes) {
  evaluate_many(state, published_shape(static_cast<int>(state.range(1)), radial_nodes),
                {silicon(static_cast<int>(state.range(0)))},
                {.dtype = dtype, .threads = static_cast<int>(state.range(2))});
}

/// The same with the reference on LibTorch, for comparison.
void libtorch(benchmark::State& state) {
  try {
    evaluate_many(state, published_shape(static_cast<int>(state.range(1))), {silicon(static_cast<int>(state.range(0)))},
                  {}, [](const ModelFile& model, const LoadOptions& options) {
                    return torch_backend().make_potential(model, options);
                  });
  } catch (const CapabilityError& error) {
    state.SkipWithError(error.what());
  }
}
BENCHMARK(libtorch)->ArgNames({"cells", "L"})->Args({2, 0})->Args({2, 1})->Unit(benchmark::kMillisecond)->UseRealTime();

/// One product with second derivatives; silicon_evaluation has energies and forces of the same crystals.
void second_derivatives(benchmark::State& state) {
  const auto potential = make_fused_potential(initial_model(published_shape(static_cast<int>(state.range(1))), 1),
                                              {.threads = static_cast<int>(state.range(2))});
  const std::vector<Structure> structures{silicon(static_cast<int>(state.range(0)))};
  const Batch batch(structures);
  const State now = State::of(structures);
  const NeighborList neighbors = build_neighbors(batch, now, potential->neighbors());
  const Coordinates directions = Coordinates::Ones(static_cast<Eigen::Index>(batch.n_atoms()), 3);
  benchmark::DoNotOptimize(potential->hessian_vector_products(batch, now, neighbors, directions));
  for (auto _ : state) benchmark::DoNotOptimize(potential->hessian_vector_products(batch, now, neighbors, directions));
}
BENCHMARK(second_derivatives)
    ->ArgNames({"cells", "L", "threads"})->Args({2, 0, 1})->Args({2, 1, 1})->Unit(benchmark::kMillisecond)->UseRealTime();

/// Twenty steps of relaxing atoms and cell, neighbours included.
void relax_cells(benchmark::State& state, const ModelDescription& description, int threads) {
  const auto potential = make_fused_potential(initial_model(description, 1), {.threads = threads});
  const std::vector<Structure> cells = small_cells();
  const RelaxOptions options{
      .fmax = 1e-9, .smax = 1e-12, .max_steps = 20, .max_volume_change = 1e9, .min_distance_factor = 0.0};
  benchmark::DoNotOptimize(evaluate(*potential, cells, k_outputs));
  double atom_steps = 0.0;
  for (auto _ : state)
    for (const RelaxResult& result : relax(*potential, cells, options))
      atom_steps += static_cast<double>(result.structure.size()) * std::max(1, result.steps);
  state.counters["us_per_atom_step"] =
      benchmark::Counter(atom_steps * 1e-6, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

BENCHMARK_CAPTURE(silicon_evaluation, float32, "float32", 128)
    ->ArgNames({"cells", "L", "threads"})
    ->Args({2, 0, 1})->Args({2, 1, 1})->Args({4, 0, 1})->Args({4, 1, 1})->Args({4, 0, 2})->Args({4, 1, 2})
    ->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(silicon_evaluation, float64, "float64", 128)
    ->ArgNames({"cells", "L", "threads"})->Args({4, 0, 1})->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(silicon_evaluation, bfloat16, "bfloat16", 128)
    ->ArgNames({"cells", "L", "threads"})->Args({4, 0, 1})->Args({4, 1, 1})->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK_CAPTURE(silicon_evaluation, unsplined, "float32", 0)
    ->ArgNames({"cells", "L", "threads"})->Args({4, 0, 1})->Unit(benchmark::kMillisecond)->UseRealTime();

void relaxation(benchmark::State& state) {
  relax_cells(state, published_shape(static_cast<int>(state.range(0))), static_cast<int>(state.range(1)));
}
BENCHMARK(relaxation)
    ->ArgNames({"L", "threads"})->ArgsProduct({{0, 1}, {1, 2}})->Unit(benchmark::kMillisecond)->UseRealTime();

void small_cells_evaluation(benchmark::State& state) {
  evaluate_many(state, published_shape(static_cast<int>(state.range(0))), small_cells(),
                {.threads = static_cast<int>(state.range(1))});
}
BENCHMARK(small_cells_evaluation)
    ->ArgNames({"L", "threads"})->ArgsProduct({{0, 1}, {1, 2}})->Unit(benchmark::kMillisecond)->UseRealTime();

/// With a small model: that the benchmarks run at all.
void smoke_evaluation(benchmark::State& state) { evaluate_many(state, small_shape(), {silicon(1)}, {}); }
void smoke_relaxation(benchmark::State& state) { relax_cells(state, small_shape(), 1); }
BENCHMARK(smoke_evaluation)->Iterations(1);
BENCHMARK(smoke_relaxation)->Iterations(1);

}  // namespace

int main(int argc, char** argv) {
  benchmark::AddCustomContext("tamiz_commit", std::string(tamiz::commit()));
  benchmark::AddCustomContext("peak_gflops", std::to_string(tamiz::bench::peak_gflops()));
  benchmark::AddCustomContext("peak_gigabytes_per_second", std::to_string(tamiz::bench::peak_bandwidth()));
  benchmark::AddCustomContext("instruction_set", tamiz::kernels::instruction_set());
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
