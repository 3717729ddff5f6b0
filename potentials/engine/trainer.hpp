#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/potentials/engine/trainable.hpp"

namespace tamiz {

enum class References {
  isolated,  ///< from isolated atoms; fitted where one of an element is missing
  fitted,    ///< to compounds
  both,      ///< from isolated atoms, with energies of cohesion that are fitted to compounds (radial/cohesion.hpp)
};

struct TrainConfig {
  ModelDescription model{.repulsion = 1.0};  ///< shape; statistics (energies, scale, neighbours) are fitted unless fine-tuning
  std::map<Element, double> atomic_energies;  ///< of all elements [eV], of isolated atoms; empty: as `references` says
  /// Where the reference energies of a new model come from.
  References references = References::isolated;
  /// Of an initial model: its reference energies are moved by what the labels differ from it per element, as those of another level
  /// or code do; so are its energies of cohesion, where the frames have an isolated atom of every element.
  bool shift_references = false;
  LossWeights weights{.energy = 5.0, .forces = 100.0, .stress = 500.0, .energy_delta = 0.1, .force_delta = 0.3};
  /// Weights of the last stage: energies count more once the forces are right.
  LossWeights last_stage{.energy = 1000.0, .forces = 100.0, .stress = 500.0, .energy_delta = 0.05, .force_delta = 0.3};
  double last_stage_fraction = 0.3;  ///< of the steps of a cycle
  double learning_rate = 0.01;
  double weight_decay = 5e-7;
  /// Pull of the weights of related elements towards each other, over the learning rate; empty: 0.2 for a new model, and 0 for one
  /// that is trained further, whose elements may have been told apart by more labels than these.
  std::optional<double> family_decay;
  double ema_decay = 0.99;
  double gradient_clip = 100.0;
  int batch_size = 4;           ///< frames
  std::int64_t steps = 2000;    ///< optimiser steps, at most
  double validation_fraction = 0.1;
  int validations = 10;         ///< times during a run that the metrics tell of the validation frames
  /// Epochs of the first cycle of the learning rate; each further one takes twice as many. At the end of a cycle the averaged
  /// model is judged on the validation frames (theory, eq. 20): the run ends with the first that is not better, and returns
  /// the best. 0, or no validation frames: a single cycle.
  int first_cycle = 400;
  std::uint64_t seed = 1;
  std::string dtype = "float32";
  int threads = 0;              ///< 0: available_threads(); does not change the result
  std::string engine = "";      ///< LoadOptions::engine; the engines agree but for rounding
};

/// Over the frames that have a label; nothing where none has.
struct ErrorSummary {
  std::size_t n_frames = 0, n_atoms = 0;
  std::optional<double> energy_mae, energy_rmse;  ///< [eV/atom]
  std::optional<double> force_mae;                ///< per component [eV/Å]
  std::optional<double> stress_mae;               ///< per component [eV/Å³]
  std::optional<double> mean_force;               ///< mean |component| of the reference [eV/Å]
  /// Energies and forces of frames weighed against each other (docs/theory.md, eq. 20), of those that there are: smaller is better. NaN where there
  /// are none.
  double score = std::numeric_limits<double>::quiet_NaN();
};

struct TrainResult {
  /// Averaged (EMA) parameters; the uncertainty is calibrated on the validation frames, and with fewer than five that have
  /// energies the model offers none. Its card is that of the initial model, with `training_frames`, `training_steps` and
  /// `training_seed` of this training.
  ModelFile model;
  ErrorSummary training, validation;
  std::int64_t steps = 0;
  /// False where `TrainCallbacks::should_stop` ended the run early: the checkpoint holds the state, the model is the
  /// unfinished one, neither calibrated nor compared with the frames.
  bool finished = true;
  bool stopped_early = false;   ///< with a cycle that was not better than the one before
};

struct TrainCallbacks {
  /// Called about once per second and at the end with step, total, present loss.
  std::function<void(std::int64_t, std::int64_t, double)> progress;
  /// Where metrics go, one JSON object per line; empty: nowhere.
  std::filesystem::path metrics;
  /// Checkpoint to write at the start and every 200 steps, and to resume from when it exists; empty: none.
  std::filesystem::path checkpoint;
  /// Asked before every step; true ends the run after writing the checkpoint.
  std::function<bool()> should_stop;
};

/// Fits a model to labelled frames. Starts from `initial` where given (fine-tuning: same shape, its
/// reference energies, scale and shift are kept, but for TrainConfig::shift_references). Deterministic: the same frames, config and initial
/// model give the same bits, also when interrupted and resumed from a checkpoint.
/// Labels count as `config_weight` and its like in the info of their frame say (training/label_weights.hpp).
/// Throws ShapeError (no frames, no energies, no forces where the loss has them), NumericsError (NaN label, naming the
/// frame), FormatError (weights), SpeciesError.
TrainResult train(const TrainConfig& config, std::span<const Frame> frames,
                  const std::optional<ModelFile>& initial = std::nullopt, const TrainCallbacks& callbacks = {},
                  std::span<const Frame> validation = {});

/// Steps that fit into `minutes` of wall clock on this machine, from timing a few batches; at least 50.
/// Fix the result in the configuration before training, so that a resumed run stays identical. `should_stop` is asked
/// before every step; once it is true the result means nothing.
std::int64_t steps_within(const TrainConfig& config, std::span<const Frame> frames,
                          const std::optional<ModelFile>& initial, std::span<const Frame> validation, double minutes,
                          const std::function<bool()>& should_stop = {});

/// Number of steps that the run behind a checkpoint was started with; nothing where there is no such file.
std::optional<std::int64_t> planned_steps(const std::filesystem::path& checkpoint);

/// Errors of energies, forces and stresses over the frames that have them.
ErrorSummary evaluate_errors(const Potential& potential, std::span<const Frame> frames);

}  // namespace tamiz
