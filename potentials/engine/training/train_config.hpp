#pragma once

#include <filesystem>

#include "tamiz/potentials/engine/trainer.hpp"

namespace tamiz {

/// Reads train.toml: `[model]` (cutoff, channels, hidden_l, l_max, correlation, n_interactions, n_radial,
/// radial_mlp, radial_nodes, readout_hidden, n_members, …; docs/howto/train-a-potential.md has all), `[train]` (steps, learning_rate, weight_decay,
/// family_decay, shift_references, ema_decay, gradient_clip, batch_size, validation_fraction, validations, first_cycle, dtype, last_stage_fraction) and `[loss]`,
/// `[loss_last_stage]` (energy, forces, stress, energy_delta, force_delta, stress_delta). Absent keys keep the values of
/// TrainConfig. Throws FileError, FormatError (unknown key or wrong value, with file:line).
TrainConfig read_train_config(const std::filesystem::path& path);

}  // namespace tamiz
