#pragma once

#include <nlohmann/json_fwd.hpp>

#include "tamiz/potentials/engine/trainer.hpp"

namespace tamiz {

/// `n_frames`, `n_atoms`, `energy_mae`, `energy_rmse` [eV/atom], `force_mae`, `mean_force` [eV/Å] and `stress_mae` [eV/Å³]; null for what no
/// frame has a label of.
nlohmann::json to_json(const ErrorSummary& errors);
ErrorSummary error_summary_from_json(const nlohmann::json& json);

}  // namespace tamiz
