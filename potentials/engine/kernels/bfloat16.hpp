#pragma once

#include <cstdint>

/// Products with matrices in bfloat16: factors keep 8 bits of their mantissa, sums are float32. Twice as many products per
/// instruction as in float32, on processors that have them (AVX-512 BF16). As in fused.hpp no container passes through here.
namespace tamiz::kernels {

/// As MultiplyArguments<float>, with W rounded and packed as (n_out/16, n_in/2, 16, 2).
struct RoundedMultiplyArguments {
  std::int64_t n_rows, n_in, n_out;  ///< the last two are multiples of 16
  const float* const* x;
  float* const* y;
  const std::uint16_t* matrix;
  bool add;
  const std::int32_t* places;  ///< (n_out/16), or null
  std::uint16_t* scratch;      ///< n_rows·n_in
};

/// Whether this processor has them; false, too, where TAMIZ_ISA asks for less than AVX-512.
bool has_bfloat16();

/// Only where has_bfloat16().
void multiply_bfloat16(const RoundedMultiplyArguments& arguments);

}  // namespace tamiz::kernels
