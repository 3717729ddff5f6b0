// Built for AVX-512 BF16: nothing here may be called, or inlined elsewhere, before has_bfloat16() was asked.

#if defined(__x86_64__)

#include <immintrin.h>

#include "tamiz/potentials/engine/kernels/bfloat16.hpp"

namespace tamiz::kernels::avx512_bf16 {
namespace {

constexpr std::int64_t k_lanes = 16;

void round_row(const float* x, std::int64_t n, std::uint16_t* rounded) {
  for (std::int64_t k = 0; k < n; k += k_lanes)
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(rounded + k),
                        reinterpret_cast<__m256i>(_mm512_cvtneps_pbh(_mm512_loadu_ps(x + k))));
}

/// `Rows` rows into N vectors of outputs. Every output is one sum in the order of the pairs of inputs, whatever the tile.
template <int Rows, int N>
void multiply_tile(const RoundedMultiplyArguments& a, std::int64_t first, std::int64_t block) {
  const std::uint16_t* x = a.scratch + first * a.n_in;
  const std::uint16_t* matrix = a.matrix + block * a.n_in * k_lanes;
  __m512 sums[Rows][N];
  for (auto& row : sums)
    for (__m512& each : row) each = _mm512_setzero_ps();
  for (std::int64_t k = 0; k < a.n_in; k += 2) {
    __m512bh weights[N];
    for (int n = 0; n < N; ++n)
      weights[n] = reinterpret_cast<__m512bh>(_mm512_loadu_ps(reinterpret_cast<const float*>(matrix + (n * a.n_in + k) * k_lanes)));
    for (int r = 0; r < Rows; ++r) {
      std::int32_t pair;
      __builtin_memcpy(&pair, x + r * a.n_in + k, sizeof pair);
      const auto factor = reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
      for (int n = 0; n < N; ++n) sums[r][n] = _mm512_dpbf16_ps(sums[r][n], factor, weights[n]);
    }
  }
  for (int r = 0; r < Rows; ++r)
    for (int n = 0; n < N; ++n) {
      float* target = a.y[first + r] + (a.places == nullptr ? (block + n) * k_lanes : a.places[block + n]);
      _mm512_storeu_ps(target, a.add ? _mm512_add_ps(_mm512_loadu_ps(target), sums[r][n]) : sums[r][n]);
    }
}

template <int N>
void multiply_rows(const RoundedMultiplyArguments& a, std::int64_t block) {
  std::int64_t r = 0;
  for (; r + 8 <= a.n_rows; r += 8) multiply_tile<8, N>(a, r, block);
  if (r + 4 <= a.n_rows) {
    multiply_tile<4, N>(a, r, block);
    r += 4;
  }
  if (r + 3 == a.n_rows) multiply_tile<3, N>(a, r, block);
  if (r + 2 == a.n_rows) multiply_tile<2, N>(a, r, block);
  if (r + 1 == a.n_rows) multiply_tile<1, N>(a, r, block);
}

}  // namespace

extern void multiply(const RoundedMultiplyArguments& a);
void multiply(const RoundedMultiplyArguments& a) {
  for (std::int64_t r = 0; r < a.n_rows; ++r) round_row(a.x[r], a.n_in, a.scratch + r * a.n_in);
  const std::int64_t blocks = a.n_out / k_lanes;
  std::int64_t block = 0;
  for (; block + 2 <= blocks; block += 2) multiply_rows<2>(a, block);
  if (block < blocks) multiply_rows<1>(a, block);
}

}  // namespace tamiz::kernels::avx512_bf16

#endif
