#pragma once

#include <span>
#include <vector>

#include "tamiz/potentials/engine/trainable.hpp"
#include "tamiz/potentials/torch/mace_model.hpp"

namespace tamiz::torch_engine {

struct ShardLoss {
  double value = 0.0;
  /// By every tensor of AppliedWeights::flat(); undefined where the loss does not depend on it.
  std::vector<at::Tensor> gradients;
};

/// Share of the frames of one shard in the loss of a batch of `n_batch` frames, and its gradient by
/// `weights`, which must be leaves. The loss: docs/theory.md, eqs. 8 and 9.
ShardLoss shard_loss(const MaceModel& model, AppliedWeights& weights, const ShardPointer& shard,
                     std::span<const TrainingFrame* const> frames, const LossWeights& loss_weights,
                     std::size_t n_batch);

}  // namespace tamiz::torch_engine
