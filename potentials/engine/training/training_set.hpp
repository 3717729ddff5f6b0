#pragma once

#include <map>
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

/// Throws NumericsError for a label that is not finite or a force above 1000 eV/Å, and ShapeError for forces of another
/// number of atoms, naming the frame: "`what` frame 3".
void check_frames(std::span<const Frame> frames, const std::string& what);

/// The same; ShapeError also when there is no frame, no energy at all, or no force where `forces` are needed.
void check_labels(std::span<const Frame> frames, const std::string& what, bool forces);

/// Splits off validation frames where none are given (held_out.hpp), and draws the bootstrap weights of the committee, Poisson(1) by
/// composition and member, so that members differ on compounds and not on the steps of one relaxation; where compositions are few, by
/// frame. The same composition has the same weights in every run of ten or more, so that a committee keeps its disagreement when it is trained on.
/// Of `model` cutoff and number of members are read. Labels of weight 0 are left out.
TrainingSet make_training_set(std::span<const Frame> frames, std::span<const Frame> validation,
                              double validation_fraction, const ModelDescription& model, std::uint64_t seed);

/// Fills the statistics of a model from its training frames: as reference energies those of isolated atoms, where there is one of every
/// element (a frame of one atom with nothing inside the cutoff), so that a crystal that is torn apart ends where its labels do; otherwise by ridge regression on
/// composition. Scale from the root mean square force, average number of neighbours. Elements are those of
/// the frames where the description names none. Throws SpeciesError for a frame with another element.
/// `atomic_energies` [eV], where there are any, are those of isolated atoms; SpeciesError where one is missing. `references` may ask for the
/// regression, or for both: isolated atoms (SpeciesError where one is missing) and energies of cohesion by regression on what the cohesion counts of each
/// element.
ModelDescription with_statistics(ModelDescription description, std::span<const TrainingFrame> frames,
                                 const std::map<Element, double>& atomic_energies = {},
                                 References references = References::isolated);

/// Moves the reference energies of a model by ridge regression of what the labels of the frames differ from its energies on
/// composition. Where it has energies of cohesion and the frames an isolated atom of every element, these move the reference energies, and what is left the
/// others.
void shift_references(ModelDescription& description, const Potential& potential, std::span<const TrainingFrame> frames);

/// Throws SpeciesError naming the first frame with an element outside the description.
void check_species(const ModelDescription& description, std::span<const Frame> frames, const std::string& what);

}  // namespace tamiz
