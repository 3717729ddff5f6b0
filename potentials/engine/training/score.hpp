#pragma once

#include "tamiz/potentials/engine/trainer.hpp"

namespace tamiz {

/// Energies and forces weighed against each other (docs/theory.md, eq. 20), of those that there are: smaller is better.
inline double score(const ErrorSummary& errors) {
  constexpr double k_energy_unit = 0.02;  // [eV/atom] what counts as one unit of error
  constexpr double k_force_unit = 0.10;   // [eV/Å]
  return errors.energy_mae.value_or(0.0) / k_energy_unit + errors.force_mae.value_or(0.0) / k_force_unit;
}

}  // namespace tamiz
