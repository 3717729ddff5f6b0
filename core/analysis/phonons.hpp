#pragma once

#include <array>
#include <vector>

#include "tamiz/core/analysis/force_constants.hpp"
#include "tamiz/core/simulation/relax.hpp"

namespace tamiz {

/// What is asked of vibrations unless said otherwise: least distance between opposite faces of a supercell [Å], and imaginary frequencies that do
/// not count yet [THz], about what a model errs by.
inline constexpr double k_phonon_length = 15.0, k_phonon_tolerance = 0.2;
/// To the minimum about which a crystal vibrates.
inline constexpr RelaxOptions k_before_phonons{.fmax = 0.001, .smax = 1e-4, .max_steps = 1000};
/// The primitive cell; the structure itself where spglib finds none, or where it is not periodic in all directions.
Structure phonon_cell(const Structure& structure);

/// Harmonic vibrations of a crystal (theory, eqs. 23 to 25). Wave vectors are in units of the reciprocal lattice vectors, frequencies in THz,
/// imaginary ones negative. The splitting of longitudinal and transverse optical modes by the electric field is left out.
class Phonons {
 public:
  explicit Phonons(const ForceConstants& constants);

  /// Three for each atom of the cell.
  Eigen::Index n_modes() const { return n_modes_; }
  /// (n_modes) ascending [THz].
  Eigen::VectorXd frequencies(const Vec3& wave_vector) const;
  /// (n_points, n_modes) [THz], by as many threads.
  Eigen::MatrixXd frequencies(const std::vector<Vec3>& wave_vectors, int threads = 1) const;
  /// Mass-weighted dynamical matrix (n_modes, n_modes) [eV/(Å² u)], hermitian.
  Eigen::MatrixXcd dynamical_matrix(const Vec3& wave_vector) const;
  /// Wave vectors that fit into the supercell, where frequencies take no interpolation; of two opposite ones, which have the same, one.
  std::vector<Vec3> commensurate() const;

  struct Mode {
    double frequency;  ///< [THz]
    Vec3 wave_vector;
  };
  /// The lowest of all modes that fit into the supercell; translations, and rotations of what is free to turn, are not counted.
  /// Infinite for a single atom in a supercell of one cell, which has nothing to vibrate against.
  Mode lowest(int threads = 1) const;

  /// The crystal along its lowest mode at a wave vector, in the smallest supercell that the wave fits into; the atom that moves furthest moves
  /// by `amplitude` [Å]. Relaxed, what was unstable becomes what it distorts into. Throws ShapeError for a wave that does not fit
  /// into the supercell of the force constants.
  Structure along_lowest(const Vec3& wave_vector, double amplitude) const;

 private:
  /// exp(2πi q·t) times `block` is a part of the dynamical matrix at rows of atom i, columns of atom j.
  struct Term {
    Eigen::Index i, j;
    Vec3 translation;  ///< in lattice vectors
    Mat3 block;
  };

  Structure cell_;
  std::array<int, 3> copies_;
  Eigen::Index n_modes_;
  Eigen::Index n_free_;  ///< modes at the zone centre that cost no energy
  std::vector<Term> terms_;
};

/// Points (i + ½)/n_k along reciprocal vector k, which lie symmetric about the zone centre without it; zero where n_k is 1.
/// Throws ShapeError for numbers below 1.
std::vector<Vec3> phonon_mesh(std::array<int, 3> numbers);

/// Of one cell, in the harmonic approximation.
struct HarmonicProperties {
  double temperature;    ///< [K]
  double free_energy;    ///< vibrational Helmholtz free energy with zero-point energy [eV]
  double entropy;        ///< [eV/K]
  double heat_capacity;  ///< at constant volume [eV/K]
};

/// Properties from frequencies (n_points, n_modes) [THz] on a mesh; imaginary modes have no part in them.
/// Throws UnitError for a temperature [K] below 0.
HarmonicProperties harmonic_properties(const Eigen::MatrixXd& frequencies, double temperature);

}  // namespace tamiz
