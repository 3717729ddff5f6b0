#include <immintrin.h>

#include "tamiz/potentials/engine/kernels/fused.hpp"

namespace tamiz::kernels::avx512 {
#include "tamiz/potentials/engine/kernels/fused_body.inc"
}  // namespace tamiz::kernels::avx512
