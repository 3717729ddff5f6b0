#pragma once

#include <string>
#include <vector>

#include "tamiz/potentials/engine/edge_list.hpp"
#include "tamiz/potentials/engine/trainable.hpp"
#include "tamiz/potentials/torch/mace_model.hpp"
#include "tamiz/potentials/torch/shard.hpp"

namespace tamiz::torch_engine {

/// A MACE model whose loss gradient comes from double backward. Not for use by several threads at once.
class TorchTrainable final : public Trainable {
 public:
  TorchTrainable(const ModelFile& model, const std::string& dtype, int threads);

  const ModelDescription& description() const override { return model_.description(); }
  std::vector<ParameterBlock> layout() const override;
  void get_parameters(std::span<double> out) const override;
  void set_parameters(std::span<const double> values) override;
  double loss_gradient(std::span<const TrainingFrame* const> frames, const LossWeights& weights,
                       std::span<double> gradient) override;
  ModelFile to_model_file(const ModelCard& card) const override;

 private:
  double sum_shards(std::span<const TrainingFrame* const> frames, const LossWeights& weights, std::span<double> gradient);

  MaceModel model_;
  std::string dtype_;
  int threads_;
  EdgeCache edges_;
  std::vector<double> values_;
};

}  // namespace tamiz::torch_engine
