#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/core/structure/frame.hpp"

namespace tamiz::cli {

/// Frames of all files, in order.
std::vector<Frame> read_labelled(const std::vector<std::string>& files);

/// `energy_mae` [eV/atom], `energy_rmse`, `force_mae` [eV/Å], `stress_mae` [eV/Å³], `n_frames`, `n_atoms`, and the
/// same for each value of `config_type` under that key.
nlohmann::json errors_by_type(const Potential& potential, std::span<const Frame> frames);

/// The table of `errors_by_type` in meV and Å for a terminal, on standard error.
void print_errors(const std::string& title, const nlohmann::json& errors);

}  // namespace tamiz::cli
