#pragma once

#include <benchmark/benchmark.h>

namespace tamiz::bench {

/// The most multiply-adds in float32 that one core does with the instruction set of the kernels, measured once
/// [GFLOP/s]; 0 where nothing measures it.
double peak_gflops();

/// Counts `multiply_adds` per iteration, as GFLOP/s and as a share of the peak.
inline void count_operations(benchmark::State& state, double multiply_adds) {
  const double gflop = 2e-9 * multiply_adds * static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] = benchmark::Counter(gflop, benchmark::Counter::kIsRate);
  if (peak_gflops() > 0.0)
    state.counters["of_peak"] = benchmark::Counter(gflop / peak_gflops(), benchmark::Counter::kIsRate);
}

}  // namespace tamiz::bench
