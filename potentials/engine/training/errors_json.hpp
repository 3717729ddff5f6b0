#pragma once

#include <string>

#include "tamiz/potentials/engine/trainer.hpp"

namespace tamiz {

/// A JSON object, whose numbers are null where they are missing or not finite, of `n_frames`, `n_atoms`, `score`, `energy_mae`, `energy_rmse` [eV/atom], `force_mae`, `mean_force` [eV/Å] and
/// `stress_mae` [eV/Å³].
std::string json_text(const ErrorSummary& errors);
ErrorSummary error_summary_from_json(const std::string& text);

}  // namespace tamiz
