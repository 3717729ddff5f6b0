#include "tamiz/potentials/engine/kernels/fused.hpp"

namespace tamiz::kernels::generic {
#include "tamiz/potentials/engine/kernels/fused_body.inc"
}  // namespace tamiz::kernels::generic
