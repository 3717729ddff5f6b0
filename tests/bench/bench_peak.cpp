#include "bench_peak.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <chrono>
#include <string>

#include "tamiz/potentials/engine/kernels/kernels.hpp"

namespace tamiz::bench {
namespace {

#if defined(__x86_64__)
constexpr int k_steps = 100000, k_chains = 12, k_repeats = 20;

/// Twelve independent chains of multiply-adds: enough for the latency of two units.
__attribute__((target("avx512f"), noipa)) float chains_avx512(float factor_value) {
  __m512 sums[k_chains], factor = _mm512_set1_ps(factor_value);
  for (int k = 0; k < k_chains; ++k) sums[k] = _mm512_set1_ps(static_cast<float>(k));
  for (int k = 0; k < k_steps; ++k)
#pragma GCC unroll 12
    for (__m512& sum : sums) sum = _mm512_fmadd_ps(sum, factor, factor);
  for (int k = 1; k < k_chains; ++k) sums[0] = _mm512_add_ps(sums[0], sums[k]);
  return sums[0][0];
}
__attribute__((target("avx2,fma"), noipa)) float chains_avx2(float factor_value) {
  __m256 sums[k_chains], factor = _mm256_set1_ps(factor_value);
  for (int k = 0; k < k_chains; ++k) sums[k] = _mm256_set1_ps(static_cast<float>(k));
  for (int k = 0; k < k_steps; ++k)
#pragma GCC unroll 12
    for (__m256& sum : sums) sum = _mm256_fmadd_ps(sum, factor, factor);
  for (int k = 1; k < k_chains; ++k) sums[0] = _mm256_add_ps(sums[0], sums[k]);
  return sums[0][0];
}

double measure() {
  const std::string name = kernels::instruction_set();
  const bool wide = name == "avx512";
  if (!wide && name != "avx2") return 0.0;
  double best = 0.0;
  for (int k = 0; k < k_repeats; ++k) {
    const auto begin = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(wide ? chains_avx512(0.999f) : chains_avx2(0.999f));
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    best = std::max(best, 2e-9 * k_steps * k_chains * (wide ? 16 : 8) / taken.count());
  }
  return best;
}
#else
double measure() { return 0.0; }
#endif

}  // namespace

double peak_gflops() {
  static const double peak = measure();
  return peak;
}

}  // namespace tamiz::bench
