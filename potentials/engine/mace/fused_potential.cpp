#include "tamiz/potentials/engine/mace/fused_potential.hpp"

#include <fmt/format.h>

#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <string>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/log.hpp"
#include "tamiz/core/base/memory.hpp"
#include "tamiz/core/base/parallel.hpp"
#include "tamiz/potentials/engine/blank_prediction.hpp"
#include "tamiz/potentials/engine/kernels/bfloat16.hpp"
#include "tamiz/potentials/engine/mace/edge_sums.hpp"
#include "tamiz/potentials/engine/mace/tangent_model.hpp"
#include "tamiz/potentials/engine/stress.hpp"

namespace tamiz {
namespace {

using mace::AtomSet;
using mace::Workspace;

/// Pairs of a unit, the structures that are evaluated together: enough for products of matrices with rows of several
/// structures, few enough for the cache.
constexpr std::size_t k_pairs_per_unit = 4096;

/// Structures [begin, end).
struct Unit {
  std::size_t begin, end, pairs;
};

/// Every large structure by itself, and the small ones in units of about as many pairs each, as many for every thread.
std::vector<Unit> cut(const Batch& batch, const NeighborList& neighbors, std::size_t threads) {
  const auto pairs_of = [&](std::size_t s) {
    return neighbors.first()[batch.offsets()[s + 1]] - neighbors.first()[batch.offsets()[s]];
  };
  std::size_t small = 0;
  for (std::size_t s = 0; s < batch.n_structures(); ++s)
    if (pairs_of(s) <= k_pairs_per_unit) small += pairs_of(s);
  const std::size_t n = threads * (small / (threads * k_pairs_per_unit) + 1);
  const double share = static_cast<double>(small) / static_cast<double>(n);
  std::vector<Unit> units;
  Unit unit{0, 0, 0};
  std::size_t seen = 0, n_full = 0;  // pairs of small structures, and shares that are full
  const auto close = [&] {
    if (unit.end > unit.begin) units.push_back(unit);
    unit = {unit.end, unit.end, 0};
  };
  for (std::size_t s = 0; s < batch.n_structures(); ++s) {
    const std::size_t pairs = pairs_of(s);
    if (pairs > k_pairs_per_unit) {
      close();
      unit = {s, s + 1, pairs};
      close();
      continue;
    }
    // Cuts before this structure where that is nearer to an even share than behind it.
    const double middle = static_cast<double>(seen) + 0.5 * static_cast<double>(pairs);
    if (middle > share * static_cast<double>(n_full + 1)) {
      close();
      n_full = static_cast<std::size_t>(middle / share);
    }
    unit = {unit.begin, s + 1, unit.pairs + pairs};
    seen += pairs;
  }
  close();
  return units;
}

/// How many of the units, the largest of which come first, all threads work on together, one by one: those that are a large
/// part of the batch, and of a few what the threads cannot share evenly. Small units have too few blocks to be shared well.
std::size_t n_together(std::span<const Unit> units, std::size_t n_pairs, std::size_t threads) {
  std::size_t n = 0;
  while (n < units.size() && units[n].pairs > std::max(2 * k_pairs_per_unit, n_pairs / (2 * threads))) ++n;
  const std::size_t rest = units.size() - n;
  if (rest < 4 * threads && (rest > threads || 2 * rest <= threads)) n += rest % threads;
  return n;
}

template <typename Real>
class FusedPotential final : public Potential {
 public:
  FusedPotential(const ModelFile& model, int threads, std::size_t memory, mace::Use use = mace::Use::evaluation)
      : threads_(std::max(1, threads)),
        memory_(static_cast<double>(memory)),
        model_(model, use),
        rules_(model.description, model_.weights().radial()) {
    const auto name = model.card.entries.find("name");
    name_ = name != model.card.entries.end() ? name->second : "mace";
  }

  std::string name() const override { return name_; }
  Capabilities capabilities() const override {
    Capabilities capabilities;
    capabilities.n_members = offered_members(description());
    capabilities.uncertainty_gradients = capabilities.n_members > 1;
    capabilities.second_derivatives = true;
    capabilities.n_descriptors = description().n_interactions * description().channels;
    capabilities.elements = description().elements;
    return capabilities;
  }
  NeighborRequest neighbors() const override { return {description().cutoff, 0.0}; }
  int threads() const override { return threads_; }
  Prediction evaluate(const Batch& batch, const State& state, const NeighborList& neighbors,
                      const Outputs& outputs) const override;
  Coordinates hessian_vector_products(const Batch& batch, const State& state, const NeighborList& neighbors,
                                      const Coordinates& directions) const override;

 private:
  const ModelDescription& description() const { return model_.weights().description(); }
  /// Along which nothing moves, all atoms being of the first structure.
  mace::Direction standing_direction(std::size_t n_atoms, std::size_t n_structures) const {
    return {std::vector<std::int32_t>(n_atoms, 0), std::vector<Vec3>(n_atoms, Vec3::Zero()),
            std::vector<Mat3>(n_structures, Mat3::Zero()),
            std::vector<double>(n_structures * static_cast<std::size_t>(description().n_members), 0.0)};
  }
  /// Calls run(unit, threads) for all units of a batch.
  template <typename Run>
  void over_units(const Batch& batch, const NeighborList& neighbors, const Run& run) const;
  void multiply_unit(const Batch& batch, const State& state, const NeighborList& neighbors, const Unit& unit,
                     const Coordinates& directions, int threads, Coordinates& products) const;
  /// What the baseline gives to the products of a unit, whose first row is `first`.
  void add_baseline_products(const AtomSet<Real>& atoms, const std::vector<Vec3>& direction, Eigen::Index first,
                             Coordinates& products) const;
  void evaluate_unit(const Batch& batch, const State& state, const NeighborList& neighbors, const Unit& unit,
                     const Outputs& outputs, int threads, Prediction& prediction) const;
  void warn_of_memory(const typename mace::FusedModel<Real>::Request& request, const AtomSet<Real>& atoms, double granted) const;
  void write_energies(const Workspace<Real>& space, const Batch& batch, std::size_t s, std::size_t first,
                      const Outputs& outputs, Prediction& prediction) const;
  void write_derivatives(const Workspace<Real>& space, const Batch& batch, const State& state, std::size_t s,
                         std::size_t first, const Outputs& outputs, Prediction& prediction) const;
  void write_uncertainty_gradients(Workspace<Real>& space, const Batch& batch, const State& state, const Unit& unit,
                                   const Outputs& outputs, int threads, Prediction& prediction) const;
  void write_descriptors(const Workspace<Real>& space, std::size_t first_atom, Prediction& prediction) const;

  std::string name_;
  int threads_;
  double memory_;  ///< that an evaluation may take [bytes]
  mace::FusedModel<Real> model_;
  mace::EdgeRules rules_;
  mutable mace::Pool<Workspace<Real>> workspaces_;
};

/// Energies of structure s, whose atoms are those from `first` on in the workspace.
template <typename Real>
void FusedPotential<Real>::write_energies(const Workspace<Real>& space, const Batch& batch, std::size_t s,
                                          std::size_t first, const Outputs& outputs, Prediction& prediction) const {
  const ModelDescription& d = description();
  const auto row = static_cast<Eigen::Index>(s), n_members = static_cast<Eigen::Index>(d.n_members);
  double total = 0.0;
  Eigen::RowVectorXd members = Eigen::RowVectorXd::Zero(outputs.members ? n_members : 0);
  for (std::size_t k = 0; k < batch.n_atoms(s); ++k) {
    const std::size_t atom = first + k;
    const double energy = d.atomic_energies[static_cast<std::size_t>(space.atoms.element(atom))] +
                          (space.energies[atom] * d.scale + d.shift) + space.atoms.baseline(atom).energy;
    if (outputs.atom_energies) prediction.atom_energies[static_cast<Eigen::Index>(batch.offsets()[s] + k)] = energy;
    total += energy;
    for (Eigen::Index q = 0; q < members.size(); ++q)
      members[q] += space.members[atom * static_cast<std::size_t>(n_members) + static_cast<std::size_t>(q)] * d.scale;
  }
  prediction.energies[row] = total;
  // The spread of the members is scaled by the calibration (docs/theory.md, eq. 10).
  if (outputs.members)
    prediction.member_energies.row(row) = (members.array() - members.mean()) * d.uncertainty_scale + total;
}

template <typename Real>
void FusedPotential<Real>::write_derivatives(const Workspace<Real>& space, const Batch& batch, const State& state,
                                             std::size_t s, std::size_t first, const Outputs& outputs,
                                             Prediction& prediction) const {
  const double scale = description().scale;
  Mat3 virial = Mat3::Zero();
  for (std::size_t k = 0; k < batch.n_atoms(s); ++k) {
    const std::size_t atom = first + k;
    const mace::EdgeSums& sums = space.edge_sums[atom];
    virial += scale * sums.virial + space.atoms.baseline(atom).virial;
    if (outputs.forces)
      prediction.forces.row(static_cast<Eigen::Index>(batch.offsets()[s] + k)) =
          (scale * sums.force + space.atoms.baseline(atom).force).transpose();
  }
  if (outputs.stress) prediction.stresses[s] = stress_of(virial, std::abs(state.cells[s].determinant()));
}

/// The derivative of σ is that of the energy along the members' shares of it: tangents that move nothing but the weights
/// of the members (docs/theory.md, eq. 10).
template <typename Real>
void FusedPotential<Real>::write_uncertainty_gradients(Workspace<Real>& space, const Batch& batch, const State& state,
                                                       const Unit& unit, const Outputs& outputs, int threads,
                                                       Prediction& prediction) const {
  const auto n_members = static_cast<Eigen::Index>(description().n_members);
  mace::Direction direction = standing_direction(space.atoms.size(), unit.end - unit.begin);
  std::size_t first = 0;
  for (std::size_t s = unit.begin; s < unit.end; ++s) {
    const auto structure = static_cast<std::int32_t>(s - unit.begin);
    std::fill_n(direction.structure_of.begin() + static_cast<std::ptrdiff_t>(first), batch.n_atoms(s), structure);
    const Eigen::RowVectorXd spread = prediction.member_energies.row(static_cast<Eigen::Index>(s)).array() -
                                      prediction.energies[static_cast<Eigen::Index>(s)];
    const double sigma = std::sqrt(spread.squaredNorm() / static_cast<double>(n_members - 1));
    const double share = description().uncertainty_scale / (static_cast<double>(n_members - 1) * sigma);
    for (Eigen::Index q = 0; q < n_members; ++q)
      direction.members[static_cast<std::size_t>(structure * n_members + q)] = sigma > 0.0 ? share * spread[q] : 0.0;
    first += batch.n_atoms(s);
  }
  mace::find_vector_tangents(model_, space, direction, threads);
  mace::find_edge_sums(space.atoms, space.d_vector_tangents.data(), outputs.stress, threads, space.edge_sums);
  first = 0;
  for (std::size_t s = unit.begin; s < unit.end; ++s) {
    Mat3 virial = Mat3::Zero();
    for (std::size_t k = 0; k < batch.n_atoms(s); ++k) {
      const mace::EdgeSums& sums = space.edge_sums[first + k];
      virial += description().scale * sums.virial;
      prediction.uncertainty_gradients.row(static_cast<Eigen::Index>(batch.offsets()[s] + k)) =
          -description().scale * sums.force.transpose();
    }
    if (outputs.stress) prediction.uncertainty_stresses[s] = stress_of(virial, std::abs(state.cells[s].determinant()));
    first += batch.n_atoms(s);
  }
}

template <typename Real>
void FusedPotential<Real>::write_descriptors(const Workspace<Real>& space, std::size_t first_atom,
                                             Prediction& prediction) const {
  const auto channels = static_cast<std::size_t>(description().channels);
  for (std::size_t atom = 0; atom < space.atoms.size(); ++atom)
    for (std::size_t t = 1; t < space.layers.size(); ++t) {
      const Real* features = space.layers[t].rows[static_cast<std::size_t>(mace::Row::features)].data() +
                             atom * model_.stride(mace::Row::features, t);
      for (std::size_t c = 0; c < channels; ++c)
        prediction.descriptors(static_cast<Eigen::Index>(first_atom + atom),
                               static_cast<Eigen::Index>((t - 1) * channels + c)) = static_cast<double>(features[c]);
    }
}

template <typename Real>
void FusedPotential<Real>::warn_of_memory(const typename mace::FusedModel<Real>::Request& request,
                                          const AtomSet<Real>& atoms, double granted) const {
  const double needed = model_.bytes(request, atoms.size(), atoms.n_slots(), atoms.n_slabs() > 0 ? atoms.n_places() : 0);
  if (needed > granted)
    log::warning_once(fmt::format("a structure of {} atoms takes about {}, more than the {} that are granted", atoms.size(),
                                  format_bytes(needed), format_bytes(granted)));
}

template <typename Real>
void FusedPotential<Real>::evaluate_unit(const Batch& batch, const State& state, const NeighborList& neighbors,
                                         const Unit& unit, const Outputs& outputs, int threads,
                                         Prediction& prediction) const {
  const auto space = workspaces_.take();
  const bool derivatives = outputs.forces || outputs.stress || outputs.uncertainty_gradients;
  const typename mace::FusedModel<Real>::Request request{
      .derivatives = derivatives, .members = outputs.members, .keep = outputs.uncertainty_gradients};
  const std::size_t n_atoms = batch.offsets()[unit.end] - batch.offsets()[unit.begin];
  // Units with fewer threads than there are have others beside them.
  const double granted = memory_ * threads / threads_;
  const bool in_slabs = unit.end == unit.begin + 1 && model_.bytes(request, n_atoms, unit.pairs, 0) > granted;
  space->atoms.fill(rules_, batch, state, neighbors, unit.begin, unit.end, threads, in_slabs);
  if (in_slabs) warn_of_memory(request, space->atoms, granted);
  model_.evaluate(*space, request, threads);
  if (derivatives)
    mace::find_edge_sums(space->atoms, space->d_vectors.data(), outputs.stress, threads, space->edge_sums);
  std::size_t first = 0;
  for (std::size_t s = unit.begin; s < unit.end; ++s) {
    write_energies(*space, batch, s, first, outputs, prediction);
    if (derivatives) write_derivatives(*space, batch, state, s, first, outputs, prediction);
    first += batch.n_atoms(s);
  }
  if (outputs.descriptors) write_descriptors(*space, batch.offsets()[unit.begin], prediction);
  if (outputs.uncertainty_gradients)
    write_uncertainty_gradients(*space, batch, state, unit, outputs, threads, prediction);
}

template <typename Real>
template <typename Run>
void FusedPotential<Real>::over_units(const Batch& batch, const NeighborList& neighbors, const Run& run) const {
  const auto threads = static_cast<std::size_t>(threads_);
  std::vector<Unit> units = cut(batch, neighbors, threads);
  std::stable_sort(units.begin(), units.end(), [](const Unit& a, const Unit& b) { return a.pairs > b.pairs; });
  const std::size_t together = n_together(units, neighbors.n_pairs(), threads);
  for (std::size_t k = 0; k < together; ++k) run(units[k], threads_);
  parallel_for(units.size() - together, threads_, [&](std::size_t k) { run(units[together + k], 1); });
}

template <typename Real>
Prediction FusedPotential<Real>::evaluate(const Batch& batch, const State& state, const NeighborList& neighbors,
                                          const Outputs& outputs) const {
  check_evaluation(*this, batch, state, neighbors, outputs);
  Prediction prediction = blank_prediction(*this, batch, outputs);
  Outputs filled = outputs;
  filled.members = outputs.members || outputs.uncertainty_gradients;
  over_units(batch, neighbors, [&](const Unit& unit, int threads) {
    evaluate_unit(batch, state, neighbors, unit, filled, threads, prediction);
  });
  return prediction;
}

template <typename Real>
void FusedPotential<Real>::multiply_unit(const Batch& batch, const State& state, const NeighborList& neighbors,
                                         const Unit& unit, const Coordinates& directions, int threads,
                                         Coordinates& products) const {
  const auto space = workspaces_.take();
  const AtomSet<Real>& atoms = space->atoms;
  space->atoms.fill(rules_, batch, state, neighbors, unit.begin, unit.end, threads);
  const typename mace::FusedModel<Real>::Request request{.derivatives = true, .members = true, .keep = true};
  warn_of_memory(request, atoms, memory_ * threads / threads_);
  model_.evaluate(*space, request, threads);
  const auto first = static_cast<Eigen::Index>(batch.offsets()[unit.begin]);
  // Cells stand still and seeds do not move: one strain and one row of members serve all structures.
  mace::Direction direction = standing_direction(atoms.size(), 1);
  for (std::size_t k = 0; k < atoms.size(); ++k)
    direction.positions[k] = directions.row(first + static_cast<Eigen::Index>(k)).transpose();
  mace::find_vector_tangents(model_, *space, direction, threads);
  mace::find_edge_sums(atoms, space->d_vector_tangents.data(), false, threads, space->edge_sums);
  for (std::size_t k = 0; k < atoms.size(); ++k)
    products.row(first + static_cast<Eigen::Index>(k)) = -description().scale * space->edge_sums[k].force.transpose();
  if (!rules_.baseline.empty()) add_baseline_products(atoms, direction.positions, first, products);
}

template <typename Real>
void FusedPotential<Real>::add_baseline_products(const AtomSet<Real>& atoms, const std::vector<Vec3>& direction,
                                                 Eigen::Index first, Coordinates& products) const {
  std::vector<double> changes;
  for (std::size_t k = 0; k < atoms.size(); ++k) changes.push_back(rules_.baseline.begin_tangent(atoms, k, direction));
  for (std::size_t k = 0; k < atoms.size(); ++k)
    products.row(first + static_cast<Eigen::Index>(k)) -=
        rules_.baseline.force_tangent(atoms, k, atoms.baseline_slopes(), changes, direction).transpose();
}

template <typename Real>
Coordinates FusedPotential<Real>::hessian_vector_products(const Batch& batch, const State& state,
                                                          const NeighborList& neighbors,
                                                          const Coordinates& directions) const {
  check_evaluation(*this, batch, state, neighbors, {.forces = false});
  const auto n_atoms = static_cast<Eigen::Index>(batch.n_atoms());
  if (directions.rows() != n_atoms)
    throw ShapeError("directions have " + std::to_string(directions.rows()) + " rows for " + std::to_string(n_atoms) +
                     " atoms");
  if (!directions.allFinite()) throw NumericsError("directions are not finite");
  Coordinates products(n_atoms, 3);
  over_units(batch, neighbors, [&](const Unit& unit, int threads) {
    multiply_unit(batch, state, neighbors, unit, directions, threads, products);
  });
  return products;
}

}  // namespace

std::unique_ptr<Potential> make_fused_potential(const ModelFile& model, const LoadOptions& options) {
  if (options.device != "cpu")
    throw CapabilityError("the fused engine runs on the device cpu, not on '" + options.device + "'");
  const int threads = options.threads > 0 ? options.threads : available_threads();
  const std::size_t memory = options.memory > 0 ? options.memory : available_memory() / 4 * 3;
  if (options.dtype == "float64") return std::make_unique<FusedPotential<double>>(model, threads, memory);
  if (options.dtype == "float32") return std::make_unique<FusedPotential<float>>(model, threads, memory);
  if (!kernels::has_bfloat16())
    throw CapabilityError("dtype bfloat16 needs a processor with AVX-512 BF16, and kernels for avx512 (TAMIZ_ISA): use float32");
  return std::make_unique<FusedPotential<float>>(model, threads, memory, mace::Use::rounded);
}

}  // namespace tamiz
