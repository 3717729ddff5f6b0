#include "tamiz/core/simulation/relaxing_structure.hpp"

#include <Eigen/Eigenvalues>
#include <Eigen/LU>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>

#include "tamiz/core/base/text.hpp"

namespace tamiz::detail {
namespace {

constexpr double k_strain_scale = 0.5;   // k in c = k·√N·(V/N)^⅓
constexpr double k_largest_strain = 0.04;  // per step, one eigenvalue

/// Projector on the span of the periodic lattice vectors.
Mat3 periodic_projector(const Structure& structure) {
  Mat3 projector = Mat3::Zero();
  std::vector<Vec3> basis;
  for (int k = 0; k < 3; ++k) {
    if (!structure.periodicity()[static_cast<std::size_t>(k)]) continue;
    Vec3 direction = structure.lattice().vector(k);
    for (const Vec3& other : basis) direction -= other.dot(direction) * other;
    basis.push_back(direction.normalized());
    projector += basis.back() * basis.back().transpose();
  }
  return projector;
}

Mat3 exponential(const Mat3& symmetric) {
  const Eigen::SelfAdjointEigenSolver<Eigen::Matrix3d> solver(symmetric);
  return solver.eigenvectors() * solver.eigenvalues().array().exp().matrix().asDiagonal() * solver.eigenvectors().transpose();
}

/// Three digits, for messages.
std::string brief(double value) { return format_double(std::round(value * 1e3) / 1e3); }

}  // namespace

RelaxingStructure::RelaxingStructure(const Structure& structure, std::size_t index, const RelaxOptions& options)
    : start_(structure),
      index_(index),
      options_(options),
      positions_(structure.positions()),
      cell_(structure.lattice().rows()),
      evaluated_positions_(positions_),
      evaluated_cell_(cell_) {
  const auto& periodic = structure.periodicity();
  if (!options.cell || !(periodic[0] || periodic[1] || periodic[2])) return;
  strained_directions_ = periodic_projector(structure);
  const double n = static_cast<double>(size());
  strain_scale_ = k_strain_scale * std::sqrt(n) * std::cbrt(volume() / n);
}

double RelaxingStructure::volume() const { return std::abs(cell_.determinant()); }

std::optional<Ending> RelaxingStructure::check_volume() const {
  if (!relaxes_cell()) return std::nullopt;
  const double factor = volume() / start_.lattice().volume();
  if (factor > options_.max_volume_change)
    return Ending{RelaxStatus::exploded, "the volume grew to " + brief(factor) + " times its start"};
  if (factor < 1.0 / options_.max_volume_change)
    return Ending{RelaxStatus::collapsed, "the volume shrank to " + brief(factor) + " times its start"};
  return std::nullopt;
}

std::optional<Ending> RelaxingStructure::check_contact(const Contact& closest) const {
  if (closest.ratio >= options_.min_distance_factor) return std::nullopt;
  return Ending{RelaxStatus::collapsed, std::string(closest.a.symbol()) + " and " + std::string(closest.b.symbol()) + " are " +
                                            brief(closest.distance) + " Å apart, " + brief(closest.ratio) +
                                            " of the sum of their covalent radii"};
}

std::optional<Ending> RelaxingStructure::absorb(double energy, const Coordinates& forces, const Mat3& stress) {
  const bool cell_is_finite = !relaxes_cell() || stress.allFinite();
  if (!std::isfinite(energy) || !forces.allFinite() || !cell_is_finite)
    return Ending{RelaxStatus::not_finite, "the potential gave an energy, force or stress that is not finite"};
  const Eigen::Index n = forces.rows();
  force_.resize(3 * n + (relaxes_cell() ? 9 : 0));
  force_.head(3 * n) = Eigen::Map<const Eigen::VectorXd>(forces.data(), 3 * n);
  fmax_ = forces.rowwise().norm().maxCoeff();
  bool cell_is_done = true;
  if (relaxes_cell()) {
    const Mat3 full = 0.5 * (stress + stress.transpose()) + options_.pressure * Mat3::Identity();
    const Mat3 residual = strained_directions_ * full * strained_directions_;
    smax_ = residual.cwiseAbs().maxCoeff();
    cell_is_done = smax_ <= options_.smax;
    const Mat3 pull = -volume() / strain_scale_ * residual;
    force_.tail(9) = Eigen::Map<const Eigen::VectorXd>(pull.data(), 9);
  }
  energy_ = energy;
  evaluated_positions_ = positions_;
  evaluated_cell_ = cell_;
  if (fmax_ <= options_.fmax && cell_is_done) return Ending{RelaxStatus::converged, ""};
  if (steps_ >= options_.max_steps)
    return Ending{RelaxStatus::out_of_steps, "after " + std::to_string(steps_) + " steps the largest force is " + brief(fmax_) + " eV/Å" +
                                                 (relaxes_cell() ? " and the largest stress " + brief(smax_ * 1e3) + " meV/Å³" : "")};
  return std::nullopt;
}

void RelaxingStructure::advance() {
  const auto n = static_cast<Eigen::Index>(size());
  Eigen::VectorXd step = minimizer_.propose(force_);
  const auto moves = [&] { return Eigen::Map<const Coordinates>(step.data(), n, 3); };
  double excess = moves().rowwise().norm().maxCoeff() / options_.max_displacement;
  if (relaxes_cell()) excess = std::max(excess, step.tail(9).norm() / strain_scale_ / k_largest_strain);
  if (excess > 1.0) step /= excess;
  minimizer_.taken(step);
  positions_ += moves();
  if (relaxes_cell()) {
    const Mat3 strain = Eigen::Map<const Mat3>(step.tail(9).data()) / strain_scale_;
    const Mat3 deformation = exponential(0.5 * (strain + strain.transpose()));
    positions_ = (positions_ * deformation).eval();
    cell_ = (cell_ * deformation).eval();
  }
  ++steps_;
}

RelaxResult RelaxingStructure::result(const Ending& ending) const {
  const std::vector<Element> species(start_.species().begin(), start_.species().end());
  return {.structure = Structure(Lattice(evaluated_cell_), start_.periodicity(), species, Cartesian{evaluated_positions_}),
          .status = ending.status,
          .reason = ending.reason,
          .steps = steps_,
          .energy = energy_,
          .fmax = fmax_,
          .smax = smax_};
}

}  // namespace tamiz::detail
