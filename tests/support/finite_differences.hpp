#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tamiz/core/simulation/potential.hpp"

namespace tamiz::test_support {

/// Largest differences between what a potential returns and the derivatives of its energy.
struct DerivativeErrors {
  double force = 0.0;   ///< [eV/Å]
  double stress = 0.0;  ///< [eV/Å³]
  double largest_force = 0.0, largest_stress = 0.0;  ///< of the analytic values, to judge the errors by
};

/// Total energy of one structure [eV].
inline double energy_of(const Potential& potential, const Structure& structure) {
  const std::vector<Structure> one{structure};
  return evaluate(potential, one, {.forces = false}).energies[0];
}

/// Fourth-order central difference of `energy(t)` at t = 0 with step h: error O(h⁴).
template <typename Energy>
double central_difference(const Energy& energy, double h) {
  return (8.0 * (energy(h) - energy(-h)) - (energy(2.0 * h) - energy(-2.0 * h))) / (12.0 * h);
}

/// Differentiates the energy by every coordinate (step `displacement` [Å]) and, where the structure is fully
/// periodic and the potential offers stress, by every strain component (step `strain`).
inline DerivativeErrors derivative_errors(const Potential& potential, const Structure& structure,
                                          double displacement = 1e-3, double strain = 3e-4) {
  const bool with_stress = structure.is_periodic() && potential.capabilities().stress;
  const std::vector<Structure> one{structure};
  const Prediction prediction = evaluate(potential, one, {.forces = true, .stress = with_stress});
  DerivativeErrors errors;
  for (Eigen::Index atom = 0; atom < structure.positions().rows(); ++atom)
    for (Eigen::Index axis = 0; axis < 3; ++axis) {
      const auto moved = [&](double t) {
        Coordinates positions = structure.positions();
        positions(atom, axis) += t;
        return energy_of(potential, structure.with_positions(Cartesian{positions}));
      };
      const double expected = -central_difference(moved, displacement);
      errors.force = std::max(errors.force, std::abs(prediction.forces(atom, axis) - expected));
      errors.largest_force = std::max(errors.largest_force, std::abs(prediction.forces(atom, axis)));
    }
  if (!with_stress) return errors;
  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < 3; ++b) {
      const auto strained = [&](double t) {
        Mat3 tensor = Mat3::Zero();
        tensor(a, b) = t;
        return energy_of(potential, structure.strained(tensor));
      };
      const double expected = central_difference(strained, strain) / structure.lattice().volume();
      errors.stress = std::max(errors.stress, std::abs(prediction.stresses[0](a, b) - expected));
      errors.largest_stress = std::max(errors.largest_stress, std::abs(prediction.stresses[0](a, b)));
    }
  return errors;
}

/// Fails the running test where forces or stress are not the derivatives of the energy. The tolerances are
/// relative to 1 eV/Å and 0.1 eV/Å³, or to the largest analytic value where that is larger.
inline void expect_derivatives_of_energy(const Potential& potential, const Structure& structure,
                                         const std::string& what, double tolerance = 1e-6,
                                         double displacement = 1e-3, double strain = 3e-4) {
  const DerivativeErrors errors = derivative_errors(potential, structure, displacement, strain);
  EXPECT_LT(errors.force, tolerance * std::max(1.0, errors.largest_force)) << "forces, " << what;
  EXPECT_LT(errors.stress, tolerance * std::max(0.1, errors.largest_stress)) << "stress, " << what;
}

}  // namespace tamiz::test_support
