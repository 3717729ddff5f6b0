#pragma once

#include "tamiz/potentials/engine/trainer.hpp"
#include "tamiz/potentials/engine/training/predict_frames.hpp"

namespace tamiz {

/// What a potential has to say of frames whose errors are added up.
Outputs outputs_for_errors(const Potential& potential, std::span<const Frame> frames);

/// Errors of predictions, added up frame by frame.
class ErrorSums {
 public:
  void add(const Frame& frame, const PredictedFrame& prediction);
  ErrorSummary summary() const;

 private:
  std::size_t n_frames_ = 0, n_atoms_ = 0;
  double energy_ = 0, energy_squared_ = 0, n_energies_ = 0;
  double force_ = 0, reference_force_ = 0, n_forces_ = 0;
  double stress_ = 0, n_stresses_ = 0;
  // Of a score, in which labels count as in training.
  double energy_score_ = 0, energy_weight_ = 0, force_score_ = 0, force_weight_ = 0;
};

}  // namespace tamiz
