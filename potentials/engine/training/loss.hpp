#pragma once

#include <vector>

#include "tamiz/potentials/engine/trainable.hpp"

namespace tamiz {

/// What a model says of a frame, reference energies and baseline included.
struct FramePrediction {
  std::vector<double> members;  ///< energies of the committee [eV]
  Coordinates forces;           ///< of their mean [eV/Å]
  Mat3 stress = Mat3::Zero();   ///< the same [eV/Å³]; not read without a volume
  double volume = 0.0;          ///< [Å³]; 0 without a cell
};

/// Share of a frame in the loss of a batch (docs/theory.md, eqs. 8 and 9), and its derivatives by the prediction.
struct FrameLoss {
  double value = 0.0;
  std::vector<double> by_members;
  Coordinates by_forces;
  Mat3 by_stress = Mat3::Zero();  ///< symmetric
};

/// Of one of `n_batch` frames, written to `loss`, whose memory is used again.
void find_frame_loss(const TrainingFrame& frame, const FramePrediction& prediction, const LossWeights& weights,
                     std::size_t n_batch, FrameLoss& loss);

}  // namespace tamiz
