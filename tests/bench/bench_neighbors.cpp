#include <benchmark/benchmark.h>

#include "bench_models.hpp"
#include "tamiz/core/neighbors/neighbor_list.hpp"

namespace {

using namespace tamiz;
using namespace tamiz::bench;

constexpr NeighborRequest k_request{6.0, 0.0};

void build_many(benchmark::State& state, const std::vector<Structure>& structures, int threads) {
  const Batch batch(structures);
  const State now = State::of(structures);
  std::size_t n_pairs = 0;
  for (auto _ : state) {
    const NeighborList list = build_neighbors(batch, now, k_request, threads);
    n_pairs = list.n_pairs();
    benchmark::DoNotOptimize(n_pairs);
  }
  const auto atoms = static_cast<double>(batch.n_atoms());
  state.counters["us_per_atom"] = benchmark::Counter(static_cast<double>(state.iterations()) * atoms * 1e-6,
                                                     benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
  state.counters["neighbors"] = static_cast<double>(n_pairs) / atoms;
}

/// Silicon of 8·cells³ atoms: 512, 10⁴, 10⁵ and 10⁶.
void neighbors_of_silicon(benchmark::State& state) {
  build_many(state, {silicon(static_cast<int>(state.range(0)))}, static_cast<int>(state.range(1)));
}
BENCHMARK(neighbors_of_silicon)
    ->ArgNames({"cells", "threads"})
    ->Args({4, 1})
    ->Args({11, 1})
    ->Args({23, 1})
    ->Args({50, 1})
    ->Args({50, 2})
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void neighbors_of_small_cells(benchmark::State& state) { build_many(state, small_cells(), 1); }
BENCHMARK(neighbors_of_small_cells)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
