#pragma once

#include <span>
#include <string>
#include <vector>

#include "tamiz/potentials/engine/trainer.hpp"

namespace tamiz {

/// Frames checked, split and weighted for a training run.
struct TrainingSet {
  std::vector<TrainingFrame> training;
  std::vector<Frame> validation;  ///< held out; empty where nothing could be spared
};

/// Throws NumericsError for a label that is not finite or a force above 1000 eV/Å, naming the frame;
/// ShapeError when there is no frame, no energy at all, or forces of another number of atoms.
void check_labels(std::span<const Frame> frames, const std::string& what);

/// Splits off validation frames by a hash of their content where none are given, and draws the bootstrap
/// weights of the committee, Poisson(1) by content and member: the same frame has the same weights in
/// every run, so that a committee keeps its disagreement when it is trained on.
TrainingSet make_training_set(std::span<const Frame> frames, std::span<const Frame> validation,
                              double validation_fraction, int n_members, std::uint64_t seed);

/// Fills the statistics of a model from its training frames: reference energies by ridge regression on
/// composition, scale from the root mean square force, average number of neighbours. Elements are those of
/// the frames where the description names none. Throws SpeciesError for a frame with another element.
ModelDescription with_statistics(ModelDescription description, std::span<const TrainingFrame> frames);

/// Throws SpeciesError naming the first frame with an element outside the description.
void check_species(const ModelDescription& description, std::span<const Frame> frames, const std::string& what);

}  // namespace tamiz
