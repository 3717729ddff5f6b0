#include "tamiz/potentials/engine/kernels/kernels.hpp"

namespace tamiz::kernels::generic {
#include "tamiz/potentials/engine/kernels/body.inc"
}  // namespace tamiz::kernels::generic
