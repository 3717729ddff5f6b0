#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tamiz/potentials/engine/training/optimizer.hpp"

namespace tamiz {

/// All that a training run needs to go on with the same bits.
struct TrainingState {
  std::string run;         ///< hash of configuration, frames and initial model
  std::int64_t steps = 0;  ///< planned in all
  std::vector<double> parameters, average;
  Optimizer::State optimizer;
  /// Of the cycles so far: the best averaged parameters (empty: none yet), their score, and how many cycles went by since.
  std::vector<double> best;
  double best_score = 0.0;
  int stale = 0;
  std::size_t batch_parts = 1;  ///< that memory made a batch fall into
};

/// Atomic.
void write_checkpoint(const std::filesystem::path& path, const TrainingState& state);
/// Nothing where there is no such file. Throws FileError, FormatError (damaged, other version).
std::optional<TrainingState> read_checkpoint(const std::filesystem::path& path);

}  // namespace tamiz
