#pragma once

#include <string>
#include <vector>

#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/potentials/engine/edge_list.hpp"
#include "tamiz/potentials/torch/mace_model.hpp"

namespace tamiz::torch_engine {

/// A MACE model as a potential. Batches are cut into shards of whole structures, evaluated on `threads`
/// threads; energies do not depend on the cut beyond rounding.
class TorchPotential final : public Potential {
 public:
  /// Throws FormatError for tensors that do not fit the description, CapabilityError for a device that this
  /// build does not drive.
  TorchPotential(const ModelFile& model, const LoadOptions& options);

  std::string name() const override { return name_; }
  Capabilities capabilities() const override;
  NeighborRequest neighbors() const override { return {model_.description().cutoff, 0.0}; }
  int threads() const override { return threads_; }
  Prediction evaluate(const Batch& batch, const State& state, const NeighborList& neighbors,
                      const Outputs& outputs) const override;

 private:
  void evaluate_shard(const Batch& batch, const State& state, const NeighborList& neighbors, std::size_t begin,
                      std::size_t end, const Outputs& outputs, Prediction& prediction) const;

  std::string name_;
  int threads_;
  MaceModel model_;
  AppliedWeights weights_;
  EdgeBuilder edges_;
};

}  // namespace tamiz::torch_engine
