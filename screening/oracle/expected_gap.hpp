#pragma once

#include "tamiz/core/structure/composition.hpp"

namespace tamiz {

/// Whether it has an electronegative element, as the worker's rule for meshes of k-points takes it (`kpoint_sampling.py`).
bool has_anion(const Composition& composition);

/// Whether a compound may have a gap: it has an anion, and no odd number of electrons, which would half fill a band.
bool may_have_gap(const Composition& composition);

}  // namespace tamiz
