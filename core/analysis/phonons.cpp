#include "tamiz/core/analysis/phonons.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/parallel.hpp"
#include "tamiz/core/base/units.hpp"
#include "tamiz/core/neighbors/bins.hpp"
#include "tamiz/core/structure/symmetry.hpp"

namespace tamiz {
namespace {

constexpr double k_pi = std::numbers::pi;
constexpr double k_tie = 0.01;       // [Å] images whose distances differ by less share a force constant
constexpr double k_on_axis = 1e-3;   // [Å]
constexpr double k_no_mode = 1e-3;   // [THz] below it a mode is a translation

/// THz of an eigenvalue of the dynamical matrix [eV/(Å² u)].
double frequency_of(double eigenvalue) {
  const double angular = std::sqrt(std::abs(eigenvalue) * units::k_acceleration);  // [1/fs]
  return std::copysign(1e3 * angular / (2.0 * k_pi), eigenvalue);
}

/// Atom s of a supercell is the image of atom s mod n of its cell that this many lattice vectors are away.
Eigen::Vector3i image_of(Eigen::Index s, Eigen::Index n, const std::array<int, 3>& copies) {
  const auto image = static_cast<int>(s / n);
  return {image / (copies[1] * copies[2]), image / copies[2] % copies[1], image % copies[2]};
}

/// Translations of a lattice, in its vectors, that bring `difference` [Å] to its shortest length, all of them.
std::vector<Eigen::Vector3i> shortest_images(const Vec3& difference, const Lattice& lattice, const Periodicity& periodicity) {
  const Mat3& rows = lattice.rows();
  const Vec3 fractional = lattice.reciprocal() * difference, heights = lattice.heights();
  Vec3 base = Vec3::Zero();  // of the translation that is about the best
  for (int k = 0; k < 3; ++k)
    if (periodicity[static_cast<std::size_t>(k)]) base[k] = -std::round(fractional[k]);
  const double reached = (difference + rows.transpose() * base).norm() + k_tie;
  Eigen::Vector3i range = Eigen::Vector3i::Zero();
  for (int k = 0; k < 3; ++k)
    if (periodicity[static_cast<std::size_t>(k)]) range[k] = static_cast<int>(std::ceil(reached / heights[k] + 0.5));
  std::vector<std::pair<double, Eigen::Vector3i>> images;
  double shortest = std::numeric_limits<double>::infinity();
  for (int a = -range[0]; a <= range[0]; ++a)
    for (int b = -range[1]; b <= range[1]; ++b)
      for (int c = -range[2]; c <= range[2]; ++c) {
        const Eigen::Vector3i image = base.cast<int>() + Eigen::Vector3i(a, b, c);
        const double length = (difference + rows.transpose() * image.cast<double>()).norm();
        if (length > shortest + k_tie) continue;
        shortest = std::min(shortest, length);
        images.emplace_back(length, image);
      }
  std::vector<Eigen::Vector3i> best;
  for (const auto& [length, image] : images)
    if (length <= shortest + k_tie) best.push_back(image);
  return best;
}

/// Motions that cost no energy: three translations, and rotations about what is free to turn.
Eigen::Index n_free_motions(const Structure& cell) {
  const auto& periodic = cell.periodicity();
  const int n_periodic = periodic[0] + periodic[1] + periodic[2];
  if (n_periodic > 1) return 3;
  Coordinates centred = cell.positions().rowwise() - cell.positions().colwise().mean();
  for (int k = 0; k < 3; ++k) {
    if (!periodic[static_cast<std::size_t>(k)]) continue;
    const Vec3 axis = cell.lattice().vector(k).normalized();
    centred -= (centred * axis) * axis.transpose();
  }
  const Vec3 spread = Eigen::SelfAdjointEigenSolver<Mat3>(centred.transpose() * centred).eigenvalues().cwiseAbs().cwiseSqrt();
  const auto directions = (spread.array() > k_on_axis).count();
  if (n_periodic == 1) return directions > 0 ? 4 : 3;
  return directions == 0 ? 3 : directions == 1 ? 5 : 6;
}

/// Cells after which a wave of this component repeats, of at most `most`.
int copies_of_wave(double component, int most) {
  for (int n = 1; n <= most; ++n)
    if (std::abs(n * component - std::round(n * component)) < 1e-6) return n;
  throw ShapeError("the wave does not fit into the supercell of the force constants: take one of its commensurate wave vectors");
}

/// The lattice, with vectors along open directions where it has none.
Lattice with_vectors(const Structure& structure) { return Lattice(detail::completed_cell(structure.lattice().rows(), structure.periodicity())); }

}  // namespace

Structure phonon_cell(const Structure& structure) {
  if (!structure.is_periodic()) return structure;
  try {
    return primitive_cell(structure);
  } catch (const NumericsError&) {
    return structure;
  }
}

Phonons::Phonons(const ForceConstants& constants)
    : cell_(constants.cell),
      copies_(constants.copies),
      n_modes_(3 * static_cast<Eigen::Index>(constants.cell.size())),
      n_free_(std::min(n_modes_, n_free_motions(constants.cell))) {
  const Structure& cell = constants.cell;
  const Structure supercell = cell.supercell(copies_);
  const auto n = static_cast<Eigen::Index>(cell.size()), n_super = static_cast<Eigen::Index>(supercell.size());
  if (constants.values.rows() != 3 * n || constants.values.cols() != 3 * n_super)
    throw ShapeError("force constants do not belong to their supercell");
  const Lattice lattice = with_vectors(supercell);
  for (Eigen::Index i = 0; i < n; ++i) {
    Mat3 rest = Mat3::Zero();  // so that moving all atoms together costs nothing
    for (Eigen::Index s = 0; s < n_super; ++s) {
      const Eigen::Index j = s % n;
      Mat3 block = constants.values.block<3, 3>(3 * i, 3 * s);
      if (s == i) continue;
      rest -= block;
      block /= std::sqrt(cell.species()[static_cast<std::size_t>(i)].mass() * cell.species()[static_cast<std::size_t>(j)].mass());
      const Vec3 difference = (supercell.positions().row(s) - cell.positions().row(i)).transpose();
      const std::vector<Eigen::Vector3i> images = shortest_images(difference, lattice, supercell.periodicity());
      for (const Eigen::Vector3i& each : images) {
        const Eigen::Vector3i whole = image_of(s, n, copies_) + each.cwiseProduct(Eigen::Vector3i(copies_[0], copies_[1], copies_[2]));
        terms_.push_back({i, j, whole.cast<double>(), block / static_cast<double>(images.size())});
      }
    }
    terms_.push_back({i, i, Vec3::Zero(), rest / cell.species()[static_cast<std::size_t>(i)].mass()});
  }
}

Eigen::MatrixXcd Phonons::dynamical_matrix(const Vec3& wave_vector) const {
  Eigen::MatrixXcd matrix = Eigen::MatrixXcd::Zero(n_modes_, n_modes_);
  for (const Term& term : terms_) {
    const std::complex<double> phase = std::polar(1.0, 2.0 * k_pi * wave_vector.dot(term.translation));
    matrix.block<3, 3>(3 * term.i, 3 * term.j) += phase * term.block;
  }
  return 0.5 * (matrix + matrix.adjoint().eval());
}

Eigen::VectorXd Phonons::frequencies(const Vec3& wave_vector) const {
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd> solver(dynamical_matrix(wave_vector), Eigen::EigenvaluesOnly);
  if (solver.info() != Eigen::Success) throw NumericsError("force constants are not finite: there are no frequencies");
  return solver.eigenvalues().unaryExpr(&frequency_of);
}

Eigen::MatrixXd Phonons::frequencies(const std::vector<Vec3>& wave_vectors, int threads) const {
  Eigen::MatrixXd all(static_cast<Eigen::Index>(wave_vectors.size()), n_modes_);
  parallel_for(wave_vectors.size(), threads, [&](std::size_t k) {
    all.row(static_cast<Eigen::Index>(k)) = frequencies(wave_vectors[k]).transpose();
  });
  return all;
}

std::vector<Vec3> Phonons::commensurate() const {
  std::vector<Vec3> points;
  for (int a = 0; a < copies_[0]; ++a)
    for (int b = 0; b < copies_[1]; ++b)
      for (int c = 0; c < copies_[2]; ++c) {
        const std::array<int, 3> here{a, b, c};
        const std::array<int, 3> opposite{(copies_[0] - a) % copies_[0], (copies_[1] - b) % copies_[1], (copies_[2] - c) % copies_[2]};
        if (here <= opposite) points.emplace_back(a / double(copies_[0]), b / double(copies_[1]), c / double(copies_[2]));
      }
  return points;
}

Phonons::Mode Phonons::lowest(int threads) const {
  const std::vector<Vec3> points = commensurate();
  const Eigen::MatrixXd all = frequencies(points, threads);
  Mode lowest{std::numeric_limits<double>::infinity(), Vec3::Zero()};
  for (std::size_t k = 0; k < points.size(); ++k) {
    Eigen::VectorXd modes = all.row(static_cast<Eigen::Index>(k)).transpose();
    if (points[k].isZero()) {
      std::sort(modes.begin(), modes.end(), [](double a, double b) { return std::abs(a) < std::abs(b); });
      modes = modes.tail(n_modes_ - n_free_).eval();
    }
    if (modes.size() > 0 && modes.minCoeff() < lowest.frequency) lowest = {modes.minCoeff(), points[k]};
  }
  return lowest;
}

Structure Phonons::along_lowest(const Vec3& wave_vector, double amplitude) const {
  std::array<int, 3> copies{};
  for (int k = 0; k < 3; ++k) copies[static_cast<std::size_t>(k)] = copies_of_wave(wave_vector[k], copies_[static_cast<std::size_t>(k)]);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXcd> solver(dynamical_matrix(wave_vector));
  Eigen::VectorXcd mode = solver.eigenvectors().col(0);
  // A mode is known up to a phase, which must not be the one at which the wave vanishes.
  Eigen::Index largest = 0;
  mode.cwiseAbs().maxCoeff(&largest);
  mode *= std::conj(mode[largest]) / std::abs(mode[largest]);
  const Structure supercell = cell_.supercell(copies);
  const auto n = static_cast<Eigen::Index>(cell_.size());
  Coordinates step(static_cast<Eigen::Index>(supercell.size()), 3);
  for (Eigen::Index s = 0; s < step.rows(); ++s) {
    const Eigen::Index j = s % n;
    const std::complex<double> phase = std::polar(1.0, 2.0 * k_pi * wave_vector.dot(image_of(s, n, copies).cast<double>()));
    step.row(s) = (phase * mode.segment<3>(3 * j)).real().transpose() / std::sqrt(cell_.species()[static_cast<std::size_t>(j)].mass());
  }
  step *= amplitude / step.rowwise().norm().maxCoeff();
  return supercell.with_positions(Cartesian{supercell.positions() + step});
}

std::vector<Vec3> phonon_mesh(std::array<int, 3> numbers) {
  for (const int n : numbers)
    if (n < 1) throw ShapeError("a mesh needs at least one point each way");
  const auto place = [](int i, int n) { return n == 1 ? 0.0 : (i + 0.5) / n; };
  std::vector<Vec3> points;
  for (int a = 0; a < numbers[0]; ++a)
    for (int b = 0; b < numbers[1]; ++b)
      for (int c = 0; c < numbers[2]; ++c) points.emplace_back(place(a, numbers[0]), place(b, numbers[1]), place(c, numbers[2]));
  return points;
}

HarmonicProperties harmonic_properties(const Eigen::MatrixXd& frequencies, double temperature) {
  if (!(temperature >= 0.0)) throw UnitError("a temperature must be 0 K or above");
  HarmonicProperties sum{temperature, 0.0, 0.0, 0.0};
  const double kt = units::k_boltzmann * temperature;
  for (const double frequency : frequencies.reshaped()) {
    if (frequency < k_no_mode) continue;
    const double quantum = units::k_planck * frequency;
    sum.free_energy += 0.5 * quantum;
    if (kt == 0.0) continue;
    const double x = quantum / kt;
    const double occupation = 1.0 / std::expm1(x), log_term = std::log(-std::expm1(-x));
    sum.free_energy += kt * log_term;
    sum.entropy += units::k_boltzmann * (x * occupation - log_term);
    sum.heat_capacity += units::k_boltzmann * x * x * occupation * (occupation + 1.0);
  }
  const double n_points = std::max<double>(1.0, static_cast<double>(frequencies.rows()));
  return {temperature, sum.free_energy / n_points, sum.entropy / n_points, sum.heat_capacity / n_points};
}

}  // namespace tamiz
