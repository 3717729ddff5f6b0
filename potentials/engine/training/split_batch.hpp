#pragma once

#include <span>
#include <vector>

#include "tamiz/potentials/engine/trainable.hpp"

namespace tamiz {

/// The loss of a batch in one part, or in as many as the memory asks for. Says so in the log when it splits, and keeps to
/// it for the batches that follow.
class SplitBatch {
 public:
  /// As Trainable::loss_gradient. Throws CapabilityError where memory runs out for a single frame.
  double loss_gradient(Trainable& model, std::span<const TrainingFrame* const> frames, const LossWeights& weights,
                       std::span<double> gradient);

  /// Parts that a batch is cut into. They change the result by rounding: a run that is resumed has to go on with them.
  std::size_t parts() const { return parts_; }
  void set_parts(std::size_t parts) { parts_ = parts; }

 private:
  double sum_parts(Trainable& model, std::span<const TrainingFrame* const> frames, const LossWeights& weights,
                   std::span<double> gradient);

  std::size_t parts_ = 1;
  std::vector<double> part_;  ///< gradient of one part
};

}  // namespace tamiz
