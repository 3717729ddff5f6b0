#pragma once

#include <benchmark/benchmark.h>

#include <algorithm>

namespace tamiz::bench {

/// The most multiply-adds in float32 that one core does with the instruction set of the kernels, measured once
/// [GFLOP/s]; 0 where nothing measures it.
double peak_gflops();

/// The most that one core reads from its cache of the second level with the same vectors, measured once [GB/s]; 0 as above.
double peak_bandwidth();

/// Counts `multiply_adds` per iteration, as GFLOP/s and as a share of the peak.
inline void count_operations(benchmark::State& state, double multiply_adds) {
  const double gflop = 2e-9 * multiply_adds * static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] = benchmark::Counter(gflop, benchmark::Counter::kIsRate);
  if (peak_gflops() > 0.0)
    state.counters["of_peak"] = benchmark::Counter(gflop / peak_gflops(), benchmark::Counter::kIsRate);
}

/// The same, and as a share of the roofline: of the peak, or of what `bytes` from the second cache allow where that is less
/// (Williams et al. 2009, doi:10.1145/1498765.1498785).
inline void count_operations(benchmark::State& state, double multiply_adds, double bytes) {
  count_operations(state, multiply_adds);
  if (!(peak_gflops() > 0.0)) return;
  const double flop = 2.0 * multiply_adds, roof = std::min(peak_gflops(), flop / bytes * peak_bandwidth());
  state.counters["of_roofline"] =
      benchmark::Counter(1e-9 * flop * static_cast<double>(state.iterations()) / roof, benchmark::Counter::kIsRate);
}

}  // namespace tamiz::bench
