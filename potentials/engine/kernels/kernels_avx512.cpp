#include "tamiz/potentials/engine/kernels/kernels.hpp"

namespace tamiz::kernels::avx512 {
#include "tamiz/potentials/engine/kernels/body.inc"
}  // namespace tamiz::kernels::avx512
