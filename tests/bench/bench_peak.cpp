#include "bench_peak.hpp"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <chrono>
#include <string>

#include "tamiz/potentials/engine/kernels/kernels.hpp"
#include "tamiz/potentials/engine/mace/aligned_buffer.hpp"

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

/// Sums of a buffer that the first cache does not hold and the second does.
constexpr int k_sweeps = 2000, k_buffer = 64 * 1024;
__attribute__((target("avx512f"), noipa)) float sweep_avx512(const float* buffer) {
  __m512 sums[8] = {};
  for (int s = 0; s < k_sweeps; ++s)
    for (int k = 0; k < k_buffer; k += 8 * 16)
#pragma GCC unroll 8
      for (int i = 0; i < 8; ++i) sums[i] = _mm512_add_ps(sums[i], _mm512_load_ps(buffer + k + 16 * i));
  for (int i = 1; i < 8; ++i) sums[0] = _mm512_add_ps(sums[0], sums[i]);
  return sums[0][0];
}
__attribute__((target("avx2"), noipa)) float sweep_avx2(const float* buffer) {
  __m256 sums[8] = {};
  for (int s = 0; s < k_sweeps; ++s)
    for (int k = 0; k < k_buffer; k += 8 * 8)
#pragma GCC unroll 8
      for (int i = 0; i < 8; ++i) sums[i] = _mm256_add_ps(sums[i], _mm256_load_ps(buffer + k + 8 * i));
  for (int i = 1; i < 8; ++i) sums[0] = _mm256_add_ps(sums[0], sums[i]);
  return sums[0][0];
}

double measure_bandwidth() {
  const std::string name = kernels::instruction_set();
  if (name != "avx512" && name != "avx2") return 0.0;
  const mace::AlignedBuffer<float> buffer(k_buffer);
  double best = 0.0;
  for (int k = 0; k < k_repeats; ++k) {
    const auto begin = std::chrono::steady_clock::now();
    benchmark::DoNotOptimize(name == "avx512" ? sweep_avx512(buffer.data()) : sweep_avx2(buffer.data()));
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - begin;
    best = std::max(best, 1e-9 * k_sweeps * k_buffer * sizeof(float) / taken.count());
  }
  return best;
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
double measure_bandwidth() { return 0.0; }
#endif

}  // namespace

double peak_gflops() {
  static const double peak = measure();
  return peak;
}

double peak_bandwidth() {
  static const double peak = measure_bandwidth();
  return peak;
}

}  // namespace tamiz::bench
