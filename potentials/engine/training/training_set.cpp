#include "tamiz/potentials/engine/training/training_set.hpp"

#include <Eigen/Cholesky>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <utility>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/philox.hpp"
#include "tamiz/core/neighbors/neighbor_list.hpp"
#include "tamiz/potentials/engine/edge_list.hpp"
#include "tamiz/potentials/engine/training/held_out.hpp"
#include "tamiz/potentials/engine/training/label_weights.hpp"
#include "tamiz/potentials/engine/training/predict_frames.hpp"

namespace tamiz {
namespace {

constexpr double k_absurd_force = 1000.0;  ///< [eV/Å]
/// Pull of energies per element to their mean, or to none, in frames: decides only what compositions leave open.
constexpr double k_ridge = 1e-3;
constexpr int k_refinements = 3;
constexpr double k_least_scale = 1e-3;  ///< [eV]

/// Of the cohesion of an atom: an element that never has more of it has neighbours far beyond the cutoff, and its energy would be a guess.
constexpr double k_least_count = 0.3;
constexpr const char* k_no_isolated_atoms =
    "model.reference_energies is both, which needs an isolated atom of every element among the frames (one atom with nothing inside the "
    "cutoff), or model.atomic_energies: add those labels, or set it to fitted";

std::string named(const std::string& what, std::size_t k) { return what + " frame " + std::to_string(k); }

void check_frame(const Frame& frame, const std::string& name) {
  if (frame.structure.size() == 0) throw ShapeError(name + " has no atoms");
  const Labels& labels = frame.labels;
  for (const auto& energy : {labels.energy, labels.free_energy})
    if (energy && !std::isfinite(*energy)) throw NumericsError(name + ": the energy is not finite");
  if (labels.forces) {
    if (labels.forces->rows() != static_cast<Eigen::Index>(frame.structure.size()))
      throw ShapeError(name + ": forces for " + std::to_string(labels.forces->rows()) + " atoms, but the structure has " +
                       std::to_string(frame.structure.size()));
    if (!labels.forces->allFinite()) throw NumericsError(name + ": a force is not finite");
    if (labels.forces->size() > 0 && labels.forces->cwiseAbs().maxCoeff() > k_absurd_force)
      throw NumericsError(name + ": a force of " + std::to_string(labels.forces->cwiseAbs().maxCoeff()) +
                          " eV/Å; expected below 1000 eV/Å: check the units or remove the frame");
  }
  if (frame.structure.shortest_distance() == 0.0) throw NumericsError(name + ": two atoms are at one place");
  if (labels.stress && !labels.stress->allFinite()) throw NumericsError(name + ": the stress is not finite");
}

void subtract_energy(Labels& labels, double known) {
  for (auto* energy : {&labels.energy, &labels.free_energy})
    if (*energy) **energy -= known;
}

/// The frames with labels less the baseline of the model: what its weights have to explain.
std::vector<TrainingFrame> less_baseline(const ModelDescription& d, std::span<const TrainingFrame> frames) {
  std::vector<TrainingFrame> rest(frames.begin(), frames.end());
  if (Baseline(d).empty()) return rest;
  const EdgeBuilder build(d);
  for (TrainingFrame& frame : rest) {
    const EdgeList edges = build(frame.frame.structure);
    Labels& labels = frame.frame.labels;
    double energy = 0.0;
    for (std::size_t i = 0; i < edges.n_atoms(); ++i) {
      energy += edges.baseline[i].energy;
      if (labels.forces) labels.forces->row(static_cast<Eigen::Index>(i)) -= edges.baseline[i].force.transpose();
    }
    subtract_energy(labels, energy);
  }
  return rest;
}

/// Poisson(1) by inversion.
float poisson(double uniform) {
  double term = std::exp(-1.0), sum = term;
  int count = 0;
  while (uniform > sum && count < 20) {
    term /= ++count;
    sum += term;
  }
  return static_cast<float>(count);
}

/// Without the labels that count nothing, so that nothing is learned from them: no reference energies, no scale, no calibration.
Frame with_counting_labels(Frame frame, const LabelWeights& weights) {
  if (weights.energy == 0.0) {
    frame.labels.energy.reset();
    frame.labels.free_energy.reset();
  }
  if (weights.forces == 0.0) frame.labels.forces.reset();
  if (weights.stress == 0.0) frame.labels.stress.reset();
  return frame;
}

TrainingFrame training_frame(const Frame& frame, const LabelWeights& weights, std::uint64_t key, int n_members) {
  TrainingFrame result{with_counting_labels(frame, weights), weights, {}};
  for (int k = 0; k < n_members; ++k)
    result.member_weights.push_back(poisson(Philox(0, streams::k_bootstrap, key, static_cast<std::uint32_t>(k)).uniform()));
  return result;
}

/// How often an energy of each element counts in that of a structure.
using Counts = std::function<Eigen::VectorXd(const Structure&)>;

Counts numbers_of_atoms(const ModelDescription& d) {
  return [index = element_index(d), n = d.elements.size()](const Structure& structure) -> Eigen::VectorXd {
    Eigen::VectorXd counts = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(n));
    for (const Element element : structure.species()) counts[index[static_cast<std::size_t>(element.number())]] += 1.0;
    return counts;
  };
}

/// Energies per element [eV] that add up to the consistent energies of the frames as well as they can. What compositions leave open
/// is near `mean` [eV].
std::vector<double> regression(const ModelDescription& d, std::span<const TrainingFrame> frames, double mean, const Counts& counts) {
  const auto n = static_cast<Eigen::Index>(d.elements.size());
  Eigen::MatrixXd normal = k_ridge * Eigen::MatrixXd::Identity(n, n);
  Eigen::VectorXd right = Eigen::VectorXd::Zero(n);
  for (const TrainingFrame& frame : frames) {
    const auto energy = frame.frame.labels.consistent_energy();
    if (!energy) continue;
    const auto size = static_cast<double>(frame.frame.structure.size());
    const Eigen::VectorXd shares = counts(frame.frame.structure) / size;
    normal += frame.weights.energy * shares * shares.transpose();
    right += frame.weights.energy * shares * (*energy / size - mean * shares.sum());
  }
  // What the pull takes from directions that compositions decide is given back; the others stay where they are.
  const Eigen::LDLT<Eigen::MatrixXd> pulled = normal.ldlt();
  Eigen::VectorXd solution = pulled.solve(right);
  for (int k = 0; k < k_refinements; ++k) solution += pulled.solve(right + k_ridge * solution - normal * solution);
  std::vector<double> energies;
  for (Eigen::Index k = 0; k < n; ++k) energies.push_back(solution[k] + mean);
  return energies;
}

std::vector<double> reference_energies(const ModelDescription& d, std::span<const TrainingFrame> frames) {
  double mean = 0.0, count = 0.0;
  for (const TrainingFrame& frame : frames)
    if (const auto energy = frame.frame.labels.consistent_energy()) {
      mean += *energy / static_cast<double>(frame.frame.structure.size());
      count += 1.0;
    }
  return regression(d, frames, mean / std::max(1.0, count), numbers_of_atoms(d));
}

/// Mean energies of the isolated atoms of every element [eV]; none where an element has no such frame.
std::map<Element, double> isolated_atoms(const ModelDescription& d, std::span<const TrainingFrame> frames) {
  std::map<Element, std::pair<double, int>> sums;
  for (const TrainingFrame& frame : frames) {
    const Structure& structure = frame.frame.structure;
    const auto energy = frame.frame.labels.consistent_energy();
    if (!energy || !is_isolated_atom(structure, d.cutoff)) continue;
    auto& [sum, n] = sums[structure.species().front()];
    sum += *energy;
    ++n;
  }
  std::map<Element, double> energies;
  if (sums.size() < d.elements.size()) return energies;
  for (const auto& [element, sum] : sums) energies[element] = sum.first / sum.second;
  return energies;
}

std::vector<double> energies_of(const std::vector<Element>& elements, const std::map<Element, double>& given) {
  std::vector<double> energies;
  for (const Element element : elements) {
    const auto found = given.find(element);
    if (found == given.end())
      throw SpeciesError("model.atomic_energies has no " + std::string(element.symbol()) +
                         ": give the energies of all elements, or of none to have them fitted");
    energies.push_back(found->second);
  }
  return energies;
}

void subtract_per_atom(const ModelDescription& d, const std::vector<double>& energies, std::vector<TrainingFrame>& frames) {
  const Counts atoms = numbers_of_atoms(d);
  const auto known = Eigen::VectorXd::Map(energies.data(), static_cast<Eigen::Index>(energies.size()));
  for (TrainingFrame& frame : frames) subtract_energy(frame.frame.labels, atoms(frame.frame.structure).dot(known));
}

/// Energies of cohesion [eV] of the elements, fitted to the energies of the frames, which are those above their atoms. Writes to `largest`
/// how much of its cohesion an atom of each element has at most; 0 of those that have none, whose energies are 0.
std::vector<double> cohesive_energies(ModelDescription d, std::span<const TrainingFrame> frames, std::vector<double>& largest) {
  // With energies of 1 eV the cohesion of an atom is how much it counts.
  d.repulsion = 0.0;
  d.cohesion.assign(d.elements.size(), 1.0);
  const EdgeBuilder build(d);
  largest.assign(d.elements.size(), 0.0);
  return regression(d, frames, 0.0, [&](const Structure& structure) -> Eigen::VectorXd {
    const EdgeList edges = build(structure);
    Eigen::VectorXd counts = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(d.elements.size()));
    for (std::size_t i = 0; i < edges.n_atoms(); ++i) {
      counts[edges.element(i)] += edges.baseline[i].energy;
      double& most = largest[static_cast<std::size_t>(edges.element(i))];
      most = std::max(most, edges.baseline[i].energy);
    }
    return counts;
  });
}

void require_counts(const ModelDescription& d, const std::vector<double>& largest) {
  for (std::size_t k = 0; k < largest.size(); ++k)
    if (largest[k] < k_least_count)
      throw SpeciesError("model.reference_energies is both, but neighbours of " + std::string(d.elements[k].symbol()) +
                         " inside the cutoff are too few and too far in all frames to say what it gains in a crystal: raise model.cutoff, "
                         "or set it to fitted");
}

double force_scale(std::span<const TrainingFrame> frames) {
  double squared = 0.0, count = 0.0;
  for (const TrainingFrame& frame : frames)
    if (frame.frame.labels.forces) {
      squared += frame.frame.labels.forces->squaredNorm();
      count += static_cast<double>(frame.frame.labels.forces->size());
    }
  // Without forces, or with forces that vanish by symmetry, 1 eV is the natural size of an atom's energy.
  const double rms = count > 0.0 ? std::sqrt(squared / count) : 0.0;
  return rms > k_least_scale ? rms : 1.0;
}

double average_neighbors(const ModelDescription& d, std::span<const TrainingFrame> frames) {
  double pairs = 0.0, atoms = 0.0;
  for (const TrainingFrame& frame : frames) {
    const std::span<const Structure> one(&frame.frame.structure, 1);
    pairs += static_cast<double>(build_neighbors(Batch(one), State::of(one), {d.cutoff, 0.0}).n_pairs());
    atoms += static_cast<double>(frame.frame.structure.size());
  }
  return std::max(1.0, pairs / std::max(1.0, atoms));
}

}  // namespace

void check_frames(std::span<const Frame> frames, const std::string& what) {
  for (std::size_t k = 0; k < frames.size(); ++k) check_frame(frames[k], named(what, k));
}

void check_labels(std::span<const Frame> frames, const std::string& what, bool forces) {
  if (frames.empty()) throw ShapeError("there are no " + what + " frames");
  check_frames(frames, what);
  const std::string none = "none of the " + std::to_string(frames.size()) + " " + what + " frames has ";
  if (std::none_of(frames.begin(), frames.end(), [](const Frame& f) { return f.labels.consistent_energy().has_value(); }))
    throw ShapeError(none + "an energy: check the keys of the file (energy, REF_energy, free_energy)");
  if (forces && std::none_of(frames.begin(), frames.end(), [](const Frame& f) { return f.labels.forces.has_value(); }))
    throw ShapeError(none + "forces: check the keys of the file (forces, REF_forces); to train on energies alone, set forces = 0 "
                            "in [loss] and [loss_last_stage]");
}

TrainingSet make_training_set(std::span<const Frame> frames, std::span<const Frame> validation,
                              double validation_fraction, const ModelDescription& model, std::uint64_t seed) {
  TrainingSet set;
  for (std::size_t k = 0; k < validation.size(); ++k)
    set.validation.push_back(with_counting_labels(validation[k], label_weights(validation[k], named("validation", k))));
  const std::vector<std::uint64_t> keys = draw_keys(frames);
  const std::vector<bool> validates = held_out(frames, keys, validation.empty() ? validation_fraction : 0.0, seed, model.cutoff);
  for (std::size_t k = 0; k < frames.size(); ++k) {
    const LabelWeights weights = label_weights(frames[k], named("training", k));
    if (validates[k])
      set.validation.push_back(with_counting_labels(frames[k], weights));
    else
      set.training.push_back(training_frame(frames[k], weights, keys[k], model.n_members));
  }
  return set;
}

void check_species(const ModelDescription& description, std::span<const Frame> frames, const std::string& what) {
  const auto index = element_index(description);
  for (std::size_t k = 0; k < frames.size(); ++k)
    for (const Element element : frames[k].structure.species())
      if (index[static_cast<std::size_t>(element.number())] < 0)
        throw SpeciesError(named(what, k) + ": the model does not know " + std::string(element.symbol()) +
                           "; train a new model with this element, or leave the frame out");
}

ModelDescription with_statistics(ModelDescription description, std::span<const TrainingFrame> frames,
                                 const std::map<Element, double>& atomic_energies, References references) {
  if (description.elements.empty()) {
    std::set<Element> elements;
    for (const TrainingFrame& frame : frames)
      elements.insert(frame.frame.structure.species().begin(), frame.frame.structure.species().end());
    description.elements.assign(elements.begin(), elements.end());
  }
  description.cohesion.clear();
  std::vector<TrainingFrame> rest = less_baseline(description, frames);
  const bool fit = references == References::fitted;
  const std::map<Element, double> known = atomic_energies.empty() && !fit ? isolated_atoms(description, frames) : atomic_energies;
  if (references == References::both) {
    if (known.empty()) throw SpeciesError(k_no_isolated_atoms);
    description.atomic_energies = energies_of(description.elements, known);
    subtract_per_atom(description, description.atomic_energies, rest);
    std::vector<double> largest;
    description.cohesion = cohesive_energies(description, rest, largest);
    require_counts(description, largest);
    rest = less_baseline(description, frames);
  } else {
    description.atomic_energies = known.empty() ? reference_energies(description, rest) : energies_of(description.elements, known);
  }
  description.scale = force_scale(rest);
  description.shift = 0.0;
  description.average_neighbors = average_neighbors(description, frames);
  description.uncertainty_scale = 1.0;
  return description;
}

void shift_references(ModelDescription& description, const Potential& potential, std::span<const TrainingFrame> frames) {
  std::vector<TrainingFrame> rest(frames.begin(), frames.end());
  std::vector<Frame> plain;
  for (const TrainingFrame& frame : frames) plain.push_back(frame.frame);
  predict_frames(potential, plain, {.forces = false},
                 [&](std::size_t k, const PredictedFrame& prediction) { subtract_energy(rest[k].frame.labels, prediction.energy); });
  const auto add = [](std::vector<double>& energies, const std::vector<double>& shifts) {
    for (std::size_t k = 0; k < shifts.size(); ++k) energies[k] += shifts[k];
  };
  const std::map<Element, double> atoms = isolated_atoms(description, rest);
  if (description.cohesion.empty() || atoms.empty())
    return add(description.atomic_energies, regression(description, rest, 0.0, numbers_of_atoms(description)));
  const std::vector<double> shifts = energies_of(description.elements, atoms);
  subtract_per_atom(description, shifts, rest);
  add(description.atomic_energies, shifts);
  std::vector<double> largest;  // of elements that these frames have no crystals of, nothing moves
  const std::vector<double> gains = cohesive_energies(description, rest, largest);
  for (std::size_t k = 0; k < gains.size(); ++k)
    if (largest[k] >= k_least_count) description.cohesion[k] += gains[k];
}

}  // namespace tamiz
