#include "tamiz/potentials/engine/training/label_check.hpp"

#include <fmt/format.h>

#include <Eigen/LU>
#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <map>

#include "tamiz/core/base/units.hpp"

namespace tamiz {
namespace {

constexpr std::size_t k_partners = 4;         ///< frames behind one that it is compared with
constexpr double k_near = 0.3;                ///< [Å] largest displacement that the trapezoid rule is trusted with
constexpr double k_same_cell = 1e-4;          ///< [Å]
constexpr double k_same_places = 1e-3;        ///< in units of the lattice vectors
constexpr double k_largest_strain = 0.08;
constexpr double k_least_change = 1e-4;       ///< [eV] work below this says nothing
constexpr std::size_t k_least_pairs = 3;
constexpr double k_speaking = 0.9;            ///< correlation above which a slope is believed
constexpr double k_force_tolerance = 0.15;
constexpr double k_stress_tolerance = 0.3;    ///< Pulay stress may take part of it
constexpr double k_large_stress = 1.0;        ///< [eV/Å³], 160 GPa
constexpr double k_loose = 1.6, k_tight = 0.35;  ///< of the sum of covalent radii

/// One pair of frames: the change of the energy, and the work that derivatives predict.
struct Change {
  double energy, work;
};

using Groups = std::map<std::vector<Element>, std::vector<const Frame*>>;

/// Frames by the sequence of their species, in their order: those of one trajectory stay neighbours.
Groups by_species(std::span<const Frame> frames) {
  Groups groups;
  for (const Frame& frame : frames) {
    const auto species = frame.structure.species();
    groups[{species.begin(), species.end()}].push_back(&frame);
  }
  return groups;
}

/// b − a in units of the lattice vectors, to the nearest image along periodic directions.
Coordinates fractional_step(const Structure& a, const Structure& b) {
  Coordinates step = b.fractional().values - a.fractional().values;
  for (int k = 0; k < 3; ++k)
    if (a.periodicity()[static_cast<std::size_t>(k)]) step.col(k).array() -= step.col(k).array().round();
  return step;
}

std::optional<Coordinates> displacements(const Structure& a, const Structure& b) {
  if (a.periodicity() != b.periodicity()) return std::nullopt;
  if (a.periodicity() == k_molecule) return Coordinates(b.positions() - a.positions());
  if ((a.lattice().rows() - b.lattice().rows()).cwiseAbs().maxCoeff() > k_same_cell || a.lattice().volume() == 0.0)
    return std::nullopt;
  return Coordinates(fractional_step(a, b) * a.lattice().rows());
}

std::optional<Change> force_change(const Frame& a, const Frame& b) {
  if (!a.labels.forces || !b.labels.forces) return std::nullopt;
  const auto step = displacements(a.structure, b.structure);
  if (!step || step->rowwise().norm().maxCoeff() > k_near) return std::nullopt;
  const double work = -0.5 * (*a.labels.forces + *b.labels.forces).cwiseProduct(*step).sum();
  return Change{*b.labels.consistent_energy() - *a.labels.consistent_energy(), work};
}

std::optional<Change> stress_change(const Frame& a, const Frame& b) {
  if (!a.labels.stress || !b.labels.stress || !a.structure.is_periodic() || !b.structure.is_periodic()) return std::nullopt;
  if (fractional_step(a.structure, b.structure).cwiseAbs().maxCoeff() > k_same_places) return std::nullopt;
  const Mat3 strain = a.structure.lattice().rows().inverse() * b.structure.lattice().rows() - Mat3::Identity();
  if (strain.cwiseAbs().maxCoeff() > k_largest_strain) return std::nullopt;
  const Mat3 symmetric = 0.5 * (strain + strain.transpose());
  const Mat3 mean = 0.5 * (a.structure.lattice().volume() * *a.labels.stress + b.structure.lattice().volume() * *b.labels.stress);
  return Change{*b.labels.consistent_energy() - *a.labels.consistent_energy(), mean.cwiseProduct(symmetric).sum()};
}

std::optional<LabelConsistency> consistency(std::span<const Frame> frames,
                                            const std::function<std::optional<Change>(const Frame&, const Frame&)>& change_of) {
  double energy_work = 0.0, energy_energy = 0.0, work_work = 0.0;
  std::size_t n_pairs = 0;
  for (const auto& [species, group] : by_species(frames))
    for (std::size_t i = 0; i < group.size(); ++i)
      for (std::size_t j = i + 1; j < std::min(group.size(), i + 1 + k_partners); ++j) {
        if (!group[i]->labels.consistent_energy() || !group[j]->labels.consistent_energy()) continue;
        const auto change = change_of(*group[i], *group[j]);
        if (!change || std::abs(change->work) < k_least_change) continue;
        energy_work += change->energy * change->work;
        energy_energy += change->energy * change->energy;
        work_work += change->work * change->work;
        ++n_pairs;
      }
  if (n_pairs < k_least_pairs || energy_energy == 0.0) return std::nullopt;
  return LabelConsistency{energy_work / work_work, energy_work / std::sqrt(energy_energy * work_work), n_pairs};
}

struct Suspect {
  double slope;
  const char* text;
};

/// The mistake whose slope is nearest, within a tenth; empty where none is.
std::string likely(double slope, std::span<const Suspect> suspects) {
  for (const Suspect& suspect : suspects)
    if (std::abs(slope / suspect.slope - 1.0) < 0.1) return std::string(": ") + suspect.text;
  return "";
}

constexpr double k_kcal = 23.060547830619;  ///< kcal/mol in 1 eV
constexpr double k_kj = 96.485332123;       ///< kJ/mol in 1 eV

void check_forces(std::span<const Frame> frames, std::vector<std::string>& warnings) {
  static constexpr std::array k_suspects{
      Suspect{-1.0, "they look like gradients, with the opposite sign"},
      Suspect{1.0 / units::k_hartree, "energies look like hartree"},
      Suspect{2.0 / units::k_hartree, "energies look like rydberg"},
      Suspect{1.0 / units::k_bohr, "energies and forces look like hartree and hartree/bohr"},
      Suspect{units::k_hartree / units::k_bohr, "forces look like hartree/bohr"},
      Suspect{0.5 * units::k_hartree / units::k_bohr, "forces look like rydberg/bohr"},
      Suspect{k_kcal, "energies look like kcal/mol"},
      Suspect{1.0 / k_kcal, "forces look like kcal/mol/Å"},
      Suspect{k_kj, "energies look like kJ/mol"},
      Suspect{1.0 / k_kj, "forces look like kJ/mol/Å"}};
  const auto found = force_consistency(frames);
  if (!found) return;
  if (std::abs(found->correlation) < k_speaking)
    warnings.push_back(fmt::format("energies and forces of {} pairs of near frames do not belong together (correlation {:.2f}): "
                                   "check that both come from one calculation, and which energy the forces derive from",
                                   found->n_pairs, found->correlation));
  else if (std::abs(found->slope - 1.0) > k_force_tolerance)
    warnings.push_back(fmt::format("energies change {:.4g} times as much as the forces say, over {} pairs of near frames{}; "
                                   "expected eV and eV/Å", found->slope, found->n_pairs, likely(found->slope, k_suspects)));
}

void check_stresses(std::span<const Frame> frames, std::vector<std::string>& warnings) {
  static constexpr std::array k_suspects{
      Suspect{-1.0, "the sign looks like that of a pressure (compressive positive)"},
      Suspect{units::k_gpa, "they look like GPa"},
      Suspect{-units::k_gpa, "they look like GPa with compressive positive"},
      Suspect{0.1 * units::k_gpa, "they look like kbar"},
      Suspect{-0.1 * units::k_gpa, "they look like kbar with compressive positive, as VASP prints them"}};
  const auto found = stress_consistency(frames);
  if (!found || std::abs(found->correlation) < k_speaking || std::abs(found->slope - 1.0) <= k_stress_tolerance) return;
  warnings.push_back(fmt::format("energies change {:.4g} times as much as the stresses say, over {} pairs of cells{}; expected "
                                 "eV/Å³, tensile positive", found->slope, found->n_pairs, likely(found->slope, k_suspects)));
}

double median(std::vector<double> values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

/// What can be guessed from magnitudes alone.
void check_magnitudes(std::span<const Frame> frames, std::vector<std::string>& warnings) {
  std::vector<double> stresses, tightness;
  for (const Frame& frame : frames) {
    if (frame.labels.stress) stresses.push_back(frame.labels.stress->cwiseAbs().maxCoeff());
    double radii = 0.0;
    for (const Element element : frame.structure.species()) radii += element.covalent_radius();
    const double shortest = frame.structure.shortest_distance();
    if (std::isfinite(shortest)) tightness.push_back(shortest * static_cast<double>(frame.structure.size()) / (2.0 * radii));
  }
  if (const double typical = median(stresses); typical > k_large_stress)
    warnings.push_back(fmt::format("half of the frames have a stress above {:.3g}; in eV/Å³ that is {:.3g} GPa: they look like GPa "
                                   "or kbar", typical, typical / units::k_gpa));
  if (const double typical = median(tightness); typical > k_loose || typical < k_tight)
    warnings.push_back(fmt::format("the nearest atoms are {:.2f} of the sum of their covalent radii apart in the middle of the "
                                   "frames: positions look like {}; expected Å", typical, typical > k_loose ? "bohr" : "nm"));
}

}  // namespace

std::optional<LabelConsistency> force_consistency(std::span<const Frame> frames) { return consistency(frames, force_change); }

std::optional<LabelConsistency> stress_consistency(std::span<const Frame> frames) { return consistency(frames, stress_change); }

std::vector<std::string> label_warnings(std::span<const Frame> frames) {
  std::vector<std::string> warnings;
  check_forces(frames, warnings);
  check_stresses(frames, warnings);
  check_magnitudes(frames, warnings);
  return warnings;
}

}  // namespace tamiz
