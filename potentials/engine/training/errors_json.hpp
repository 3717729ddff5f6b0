#pragma once

#include <string>

#include "tamiz/potentials/engine/trainer.hpp"

namespace tamiz {

/// A JSON object of `n_frames`, `n_atoms`, `score`, `energy_mae`, `energy_rmse` [eV/atom], `force_mae`, `mean_force` [eV/Å] and
/// `stress_mae` [eV/Å³]; null for what no frame has a label of.
std::string json_text(const ErrorSummary& errors);
ErrorSummary error_summary_from_json(const std::string& text);

}  // namespace tamiz
