#include "tamiz/potentials/engine/mace/fused_trainable.hpp"

#include <algorithm>
#include <new>
#include <set>
#include <tuple>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/parallel.hpp"
#include "tamiz/potentials/engine/mace/edge_sums.hpp"
#include "tamiz/potentials/engine/mace/tangent_model.hpp"
#include "tamiz/potentials/engine/mace/weight_chain.hpp"
#include "tamiz/potentials/engine/stress.hpp"
#include "tamiz/potentials/engine/training/loss.hpp"

namespace tamiz {
namespace {

using namespace mace;

/// Pairs of a unit, the frames that are worked on together: bounds the memory of a step.
constexpr std::size_t k_pairs_per_unit = 32768;

/// A frame of a batch with its edges.
struct Item {
  const TrainingFrame* frame;
  std::shared_ptr<const EdgeList> edges;
  std::string key;
};

/// Before all that could tell two frames apart in the loss, so that the order of a batch changes no bit.
bool before(const Item& a, const Item& b) {
  const auto of = [](const Item& item) {
    return std::tuple<const std::string&, LabelWeights, double>(item.key, item.frame->weights,
                                                                item.frame->frame.labels.consistent_energy().value_or(0.0));
  };
  return of(a) < of(b);
}

template <typename Real>
class FusedTrainable final : public Trainable {
 public:
  FusedTrainable(const ModelFile& model, std::string dtype, int threads)
      : dtype_(std::move(dtype)),
        threads_(threads > 0 ? threads : available_threads()),
        values_(flat_parameters(model)),
        model_(model, Use::training),
        rules_(model.description, model_.weights().radial()),
        edges_(model.description),
        parts_(k_most_parts) {}

  const ModelDescription& description() const override { return model_.weights().description(); }
  std::vector<ParameterBlock> layout() const override { return parameter_layout(description()); }
  void get_parameters(std::span<double> out) const override;
  void set_parameters(std::span<const double> values) override;
  double loss_gradient(std::span<const TrainingFrame* const> frames, const LossWeights& weights,
                       std::span<double> gradient) override;
  ModelFile to_model_file(const ModelCard& card) const override {
    return {description(), card, tensors_of(description(), values_, dtype_)};
  }

 private:
  double add_units(const LossWeights& weights);
  void collect(std::span<const TrainingFrame* const> frames);
  void update_weights();
  double add_unit(std::span<const Item> items, const LossWeights& weights, std::size_t n_batch);
  void predict(const EdgeList& edges, std::size_t first, FramePrediction& prediction) const;
  void set_direction(const FrameLoss& loss, const EdgeList& edges, std::size_t structure, std::size_t first);

  std::string dtype_;
  int threads_;
  std::vector<double> values_;
  FusedModel<Real> model_;
  EdgeRules rules_;
  EdgeCache edges_;
  Workspace<Real> space_;
  Direction direction_;
  std::vector<WeightGradients<Real>> parts_;
  std::vector<Item> items_;
  FramePrediction prediction_;
  FrameLoss loss_;
};

template <typename Real>
void FusedTrainable<Real>::get_parameters(std::span<double> out) const {
  require_parameters(out.size(), values_.size());
  std::copy(values_.begin(), values_.end(), out.begin());
}

template <typename Real>
void FusedTrainable<Real>::set_parameters(std::span<const double> values) {
  require_parameters(values.size(), values_.size());
  values_.assign(values.begin(), values.end());
}

template <typename Real>
void FusedTrainable<Real>::collect(std::span<const TrainingFrame* const> frames) {
  items_.clear();
  for (const TrainingFrame* frame : frames) {
    std::string key = frame->frame.structure.content_hash();
    auto edges = edges_.edges(frame->frame.structure, key);
    items_.push_back({frame, std::move(edges), std::move(key)});
  }
  std::stable_sort(items_.begin(), items_.end(), before);
}

/// With all that the elements of the batch need.
template <typename Real>
void FusedTrainable<Real>::update_weights() {
  std::set<std::size_t> elements;
  for (const Item& item : items_) elements.insert(item.edges->elements.begin(), item.edges->elements.end());
  model_.weights().update(values_, std::vector<std::size_t>(elements.begin(), elements.end()), threads_);
}

/// Of the structure whose atoms are those from `first` on in the workspace.
template <typename Real>
void FusedTrainable<Real>::predict(const EdgeList& edges, std::size_t first, FramePrediction& prediction) const {
  const ModelDescription& d = description();
  const auto n_members = static_cast<std::size_t>(d.n_members);
  prediction.volume = edges.volume;
  prediction.members.assign(n_members, 0.0);
  prediction.forces.resize(static_cast<Eigen::Index>(edges.n_atoms()), 3);
  Mat3 virial = Mat3::Zero();
  for (std::size_t k = 0; k < edges.n_atoms(); ++k) {
    const std::size_t atom = first + k;
    const double reference =
        d.atomic_energies[static_cast<std::size_t>(edges.elements[k])] + d.shift + edges.baseline[k].energy;
    for (std::size_t q = 0; q < n_members; ++q)
      prediction.members[q] += reference + d.scale * space_.members[atom * n_members + q];
    const EdgeSums& sums = space_.edge_sums[atom];
    prediction.forces.row(static_cast<Eigen::Index>(k)) = (d.scale * sums.force + edges.baseline[k].force).transpose();
    virial += d.scale * sums.virial + edges.baseline[k].virial;
  }
  prediction.stress = stress_of(virial, edges.volume);
}

/// Forces are −∂E/∂x and stresses ∂E/∂ε/V, so that their part of the gradient is that of the energy along −∂L/∂F and
/// ∂L/∂σ/V (docs/theory.md, section 2.1).
template <typename Real>
void FusedTrainable<Real>::set_direction(const FrameLoss& loss, const EdgeList& edges, std::size_t structure,
                                         std::size_t first) {
  const double scale = description().scale;
  for (std::size_t k = 0; k < edges.n_atoms(); ++k) {
    direction_.structure_of[first + k] = static_cast<std::int32_t>(structure);
    direction_.positions[first + k] = -scale * loss.by_forces.row(static_cast<Eigen::Index>(k)).transpose();
  }
  direction_.strains[structure] = Mat3::Zero();
  if (edges.volume > 0.0) direction_.strains[structure] = scale / edges.volume * loss.by_stress;
  for (std::size_t q = 0; q < loss.by_members.size(); ++q)
    direction_.members[structure * loss.by_members.size() + q] = scale * loss.by_members[q];
}

template <typename Real>
double FusedTrainable<Real>::add_unit(std::span<const Item> items, const LossWeights& weights, std::size_t n_batch) {
  std::vector<const EdgeList*> lists;
  for (const Item& item : items) lists.push_back(item.edges.get());
  space_.atoms.fill(rules_, lists, threads_);
  model_.evaluate(space_, {.derivatives = true, .members = true, .keep = true}, threads_);
  find_edge_sums(space_.atoms, space_.d_vectors.data(), true, threads_, space_.edge_sums);
  direction_.structure_of.resize(space_.atoms.size());
  direction_.positions.resize(space_.atoms.size());
  direction_.strains.resize(items.size());
  direction_.members.resize(items.size() * static_cast<std::size_t>(description().n_members));
  double value = 0.0;
  std::size_t first = 0;
  for (std::size_t s = 0; s < items.size(); ++s) {
    predict(*lists[s], first, prediction_);
    find_frame_loss(*items[s].frame, prediction_, weights, n_batch, loss_);
    set_direction(loss_, *lists[s], s, first);
    value += loss_.value;
    first += lists[s]->n_atoms();
  }
  add_weight_gradient(model_, space_, direction_, threads_, std::span(parts_));
  return value;
}

template <typename Real>
double FusedTrainable<Real>::add_units(const LossWeights& weights) {
  double value = 0.0;
  for (std::size_t begin = 0, end; begin < items_.size(); begin = end) {
    std::size_t pairs = 0;
    for (end = begin; end < items_.size() && (end == begin || pairs < k_pairs_per_unit); ++end)
      pairs += items_[end].edges->neighbors.size();
    value += add_unit(std::span(items_).subspan(begin, end - begin), weights, items_.size());
  }
  return value;
}

template <typename Real>
double FusedTrainable<Real>::loss_gradient(std::span<const TrainingFrame* const> frames, const LossWeights& weights,
                                           std::span<double> gradient) {
  if (frames.empty()) throw ShapeError("a loss needs at least one frame");
  require_parameters(gradient.size(), values_.size());
  double value = 0.0;
  try {
    collect(frames);
    update_weights();  // of the pairs of elements that meet in these frames
    for (WeightGradients<Real>& part : parts_) part.clear();
    value = add_units(weights);
  } catch (const std::bad_alloc&) {
    space_ = {};  // what was too large must not stay in the way of what is smaller
    items_.clear();
    edges_.give_back();
    throw;
  }
  WeightGradients<Real>::add_up(parts_, threads_);
  std::fill(gradient.begin(), gradient.end(), 0.0);
  add_parameter_gradient(model_.weights(), parts_[0], threads_, gradient);
  return value;
}

}  // namespace

std::unique_ptr<Trainable> make_fused_trainable(const ModelFile& model, const std::string& dtype, int threads) {
  if (dtype == "float32") return std::make_unique<FusedTrainable<float>>(model, dtype, threads);
  if (dtype == "float64") return std::make_unique<FusedTrainable<double>>(model, dtype, threads);
  throw CapabilityError("dtype '" + dtype + "' is not supported, expected float32 or float64");
}

}  // namespace tamiz
