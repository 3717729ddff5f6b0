#include "tamiz/core/simulation/relax.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <memory>
#include <optional>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/parallel.hpp"
#include "tamiz/core/neighbors/bins.hpp"
#include "tamiz/core/simulation/relaxing_structure.hpp"

namespace tamiz {
namespace {

using detail::Contact;
using detail::Ending;
using detail::RelaxingStructure;

constexpr double k_far = std::numeric_limits<double>::infinity();

double bond_length(Element a, Element b) { return a.covalent_radius() + b.covalent_radius(); }

/// Closest contact of structure s of a batch among the pairs of a list.
Contact closest_contact(const Batch& batch, const State& state, const NeighborList& list, std::size_t s) {
  const Element hydrogen(1);
  Contact closest{k_far, k_far, hydrogen, hydrogen};
  for (std::size_t p = list.first()[batch.offsets()[s]]; p < list.first()[batch.offsets()[s + 1]]; ++p) {
    const Element a = batch.species()[static_cast<std::size_t>(list.centers()[p])],
                  b = batch.species()[static_cast<std::size_t>(list.neighbors()[p])];
    const double distance = list.vector(p, batch, state).norm();
    const double ratio = distance / bond_length(a, b);
    if (ratio < closest.ratio) closest = {ratio, distance, a, b};
  }
  return closest;
}

/// A sheet or a wire that has no vectors along its open directions, with unit vectors there: strains of its cell need a volume.
Structure with_volume(const Structure& structure) {
  const auto& periodic = structure.periodicity();
  if (structure.lattice().volume() > 0.0 || !(periodic[0] || periodic[1] || periodic[2])) return structure;
  const auto species = structure.species();
  return Structure(Lattice(detail::completed_cell(structure.lattice().rows(), periodic)), periodic,
                   {species.begin(), species.end()}, Cartesian{structure.positions()});
}

/// What keeps a structure from being evaluated at all.
std::optional<Ending> check_start(const Potential& potential, const Structure& structure, const RelaxOptions& options) {
  try {
    require_species(potential, structure.species());
  } catch (const SpeciesError& error) {
    return Ending{RelaxStatus::unknown_species, error.what()};
  }
  const RelaxingStructure start(structure, 0, options);
  double radius = 0.0;
  for (const Element element : structure.species()) radius = std::max(radius, element.covalent_radius());
  // A list that reaches no farther than a forbidden contact stays short in the densest of cells.
  const double reach = 2.0 * radius * options.min_distance_factor;
  if (!(reach > 0.0)) return std::nullopt;
  const std::vector<Structure> one{structure};
  const Batch batch(one);
  const State state = State::of(one);
  try {
    return start.check_contact(closest_contact(batch, state, build_neighbors(batch, state, {reach, 0.0}), 0));
  } catch (const NumericsError& error) {
    return Ending{RelaxStatus::collapsed, error.what()};  // a cell without width
  }
}

/// The structures that are relaxed at the moment, as one batch.
class ActiveBatch {
 public:
  ActiveBatch(const Potential& potential, const RelaxOptions& options, std::vector<RelaxResult>& results)
      : potential_(potential), options_(options), results_(results) {}

  std::size_t n_atoms() const { return batch_.n_atoms(); }
  bool empty() const { return members_.empty(); }
  std::size_t finished() const { return finished_; }

  void enter(std::vector<std::unique_ptr<RelaxingStructure>> structures) {
    if (structures.empty()) return;
    for (auto& structure : structures) members_.push_back(std::move(structure));
    rebuild();
  }

  /// Evaluates every member, ends those that are done, and moves the others.
  void step() {
    gather();
    if (leave([](RelaxingStructure& member, std::size_t) { return member.check_volume(); })) return;
    if (!update_neighbors()) return;
    if (leave([&](RelaxingStructure& member, std::size_t s) {
          return member.check_contact(closest_contact(batch_, state_, *list_, s));
        }))
      return;
    Prediction prediction;
    try {
      prediction = potential_.evaluate(batch_, state_, *list_, outputs());
    } catch (const NumericsError&) {
      leave_refused();
      return;
    }
    leave([&](RelaxingStructure& member, std::size_t s) {
      std::optional<Ending> ending = absorb(s, prediction);
      if (!ending) member.advance();
      return ending;
    });
  }

  /// Ends all members where they are.
  void stop() {
    for (const auto& member : members_) results_[member->index()] = member->result({RelaxStatus::stopped, "stopped on its way"});
    members_.clear();
  }

 private:
  Outputs outputs() const { return {.forces = true, .stress = options_.cell}; }

  void rebuild() {
    std::vector<Structure> structures;
    for (const auto& member : members_) structures.push_back(member->start());
    batch_ = Batch(structures);
    state_ = State::of(structures);
    list_.reset();
  }

  void gather() {
    for (std::size_t s = 0; s < members_.size(); ++s) {
      state_.positions.middleRows(static_cast<Eigen::Index>(batch_.offsets()[s]), static_cast<Eigen::Index>(batch_.n_atoms(s))) =
          members_[s]->positions();
      state_.cells[s] = members_[s]->cell();
    }
  }

  std::optional<Ending> absorb(std::size_t s, const Prediction& prediction) {
    const auto begin = static_cast<Eigen::Index>(batch_.offsets()[s]);
    const Coordinates forces = prediction.forces.middleRows(begin, static_cast<Eigen::Index>(batch_.n_atoms(s)));
    const Mat3 stress = options_.cell ? prediction.stresses[s] : Mat3::Zero();
    return members_[s]->absorb(prediction.energies[static_cast<Eigen::Index>(s)], forces, stress);
  }

  /// False where members left whose atoms or cells allow no list.
  bool update_neighbors() {
    if (list_ && list_->still_valid(batch_, state_)) return true;
    try {
      list_ = build_neighbors(batch_, state_, potential_.neighbors(), potential_.threads());
      return true;
    } catch (const NumericsError&) {
      leave_refused();
      return false;
    }
  }

  /// In the handler of what refused the batch: the members that it is because of leave. What is because of none goes on.
  void leave_refused() {
    if (!leave([&](RelaxingStructure&, std::size_t s) { return failure_alone(s); })) throw;
  }

  /// The batch was refused: is it because of this member?
  std::optional<Ending> failure_alone(std::size_t s) const {
    const std::vector<Structure> one{structure_of(batch_, state_, s)};
    try {
      evaluate(potential_, one, outputs());
    } catch (const NumericsError& error) {
      return Ending{RelaxStatus::not_finite, error.what()};
    }
    return std::nullopt;
  }

  /// Takes out the members for which `judge` names an ending; true when there were any. Threads share the judging.
  template <typename Judge>
  bool leave(const Judge& judge) {
    std::vector<std::optional<Ending>> endings(members_.size());
    parallel_for(members_.size(), potential_.threads(), [&](std::size_t s) { endings[s] = judge(*members_[s], s); });
    std::vector<std::unique_ptr<RelaxingStructure>> staying;
    for (std::size_t s = 0; s < members_.size(); ++s) {
      if (endings[s]) {
        results_[members_[s]->index()] = members_[s]->result(*endings[s]);
        ++finished_;
      } else {
        staying.push_back(std::move(members_[s]));
      }
    }
    const bool any = staying.size() != members_.size();
    members_ = std::move(staying);
    if (any) rebuild();
    return any;
  }

  const Potential& potential_;
  const RelaxOptions& options_;
  std::vector<RelaxResult>& results_;
  std::vector<std::unique_ptr<RelaxingStructure>> members_;
  Batch batch_;
  State state_;
  std::optional<NeighborList> list_;
  std::size_t finished_ = 0;
};

void check(const Potential& potential, std::span<const Structure> structures, const RelaxOptions& options) {
  if (options.cell && !potential.capabilities().stress)
    throw CapabilityError(potential.name() + " gives no stress, which relaxing the cell needs; relax without the cell");
  if (!(options.fmax > 0.0) || !(options.smax > 0.0)) throw UnitError("fmax and smax must be above 0");
  if (!(options.max_displacement > 0.0)) throw UnitError("max_displacement must be above 0 Å");
  if (!(options.max_volume_change > 1.0)) throw UnitError("max_volume_change must be above 1");
  for (std::size_t k = 0; k < structures.size(); ++k) {
    if (structures[k].size() == 0) throw ShapeError("structure " + std::to_string(k) + " has no atoms");
    const bool partly_periodic = !structures[k].is_periodic() && structures[k].periodicity() != k_molecule;
    if (options.cell && options.pressure != 0.0 && partly_periodic)
      throw CapabilityError("structure " + std::to_string(k) + " has open directions, in which its cell has no meaning, nor a pressure on it: relax it without one");
  }
}

}  // namespace

std::string_view to_string(RelaxStatus status) {
  switch (status) {
    case RelaxStatus::converged: return "converged";
    case RelaxStatus::out_of_steps: return "out of steps";
    case RelaxStatus::exploded: return "exploded";
    case RelaxStatus::collapsed: return "collapsed";
    case RelaxStatus::unknown_species: return "unknown species";
    case RelaxStatus::not_finite: return "not finite";
    case RelaxStatus::stopped: return "stopped";
  }
  return "";
}

std::vector<RelaxResult> relax(const Potential& potential, std::span<const Structure> given,
                               const RelaxOptions& options, const std::function<bool(std::size_t)>& progress) {
  check(potential, given, options);
  std::vector<Structure> structures;
  for (const Structure& structure : given) structures.push_back(options.cell ? with_volume(structure) : structure);
  std::vector<RelaxResult> results;
  std::deque<std::size_t> waiting;
  for (std::size_t k = 0; k < structures.size(); ++k) {
    const auto refused = check_start(potential, structures[k], options);
    if (!refused) waiting.push_back(k);
    const RelaxingStructure start(structures[k], k, options);
    results.push_back(start.result(refused.value_or(Ending{RelaxStatus::stopped, "not begun"})));
  }
  const std::size_t refused = structures.size() - waiting.size();
  std::size_t smallest = std::numeric_limits<std::size_t>::max();
  for (const std::size_t k : waiting) smallest = std::min(smallest, structures[k].size());
  ActiveBatch active(potential, options, results);
  while (!waiting.empty() || !active.empty()) {
    // First in, first served; a structure that does not fit lets smaller ones pass.
    std::vector<std::unique_ptr<RelaxingStructure>> entering;
    std::size_t n_atoms = active.n_atoms();
    for (auto next = waiting.begin(); next != waiting.end();) {
      if (n_atoms > 0 && n_atoms + smallest > options.atoms_per_batch) break;
      const std::size_t size = structures[*next].size();
      const bool fits = n_atoms == 0 || n_atoms + size <= options.atoms_per_batch;
      if (!fits) {
        ++next;
        continue;
      }
      entering.push_back(std::make_unique<RelaxingStructure>(structures[*next], *next, options));
      n_atoms += size;
      next = waiting.erase(next);
    }
    active.enter(std::move(entering));
    active.step();
    if (progress && !progress(refused + active.finished())) {
      active.stop();
      break;
    }
  }
  return results;
}

}  // namespace tamiz
