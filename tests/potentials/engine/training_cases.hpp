#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tamiz/potentials/engine/mace/fused_potential.hpp"
#include "tamiz/potentials/engine/trainable.hpp"
#include "tamiz/tests/potentials/torch/mace_cases.hpp"

/// Frames that the tests of training share.
namespace tamiz::training_cases {

/// Frames labelled by a model that the student does not start from.
inline std::vector<Frame> teacher_frames(std::size_t count, std::uint64_t teacher_seed = 21) {
  const auto teacher =
      make_fused_potential(initial_model(mace_cases::small_description(0), teacher_seed), {.dtype = "float64"});
  std::vector<Frame> frames;
  for (std::size_t k = 0; k < count; ++k) {
    Frame frame{mace_cases::triclinic(2 + k % 4, 100 + k), {}, {}, {}};
    const Prediction p = evaluate(*teacher, {&frame.structure, 1}, {.forces = true, .stress = true});
    frame.labels.energy = p.energies[0];
    frame.labels.forces = p.forces;
    frame.labels.stress = p.stresses[0];
    frames.push_back(std::move(frame));
  }
  return frames;
}

inline std::vector<TrainingFrame> training_frames(const std::vector<Frame>& frames) {
  std::vector<TrainingFrame> result;
  for (std::size_t k = 0; k < frames.size(); ++k)
    result.push_back({frames[k], {.energy = 0.5 + 0.1 * static_cast<double>(k), .forces = 0.8}, {1.0F, 0.0F, 2.0F}});
  return result;
}

inline std::vector<const TrainingFrame*> pointers(const std::vector<TrainingFrame>& frames) {
  std::vector<const TrainingFrame*> result;
  for (const TrainingFrame& frame : frames) result.push_back(&frame);
  return result;
}

inline std::size_t size_of(const Trainable& model) {
  const ParameterBlock last = model.layout().back();
  return last.offset + last.size;
}

}  // namespace tamiz::training_cases
