#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <cmath>

#include "mace_cases.hpp"
#include "tamiz/core/base/error.hpp"

namespace {

using namespace tamiz;
using namespace tamiz::mace_cases;

constexpr double k_rounding = 1e-10;       // float64 sums of some hundred terms of order 1 to 10 eV
constexpr double k_difference_step = 1e-4; // central differences: error h² times third derivatives of order 10
constexpr double k_difference = 2e-6;

const Outputs k_all{.forces = true, .stress = true, .atom_energies = true, .members = true};

/// Every part that a shape can have, with and without splines.
ModelDescription shape(int hidden_l, int correlation, int radial_nodes, const std::vector<std::string>& blocks = {},
                       const std::string& radial_basis = "bessel", const std::string& transform = "none",
                       bool envelope_on_weights = false) {
  ModelDescription d = small_description(hidden_l, correlation, radial_nodes);
  d.blocks = blocks;
  d.radial_basis = radial_basis;
  d.distance_transform = transform;
  d.envelope_on_weights = envelope_on_weights;
  return d;
}

const std::vector<std::string> k_residual{"RealAgnosticResidual", "RealAgnosticResidual"};
const std::vector<std::string> k_density{"RealAgnosticDensity", "RealAgnosticDensityResidual"};
const std::vector<std::string> k_density_residual{"RealAgnosticDensityResidual", "RealAgnosticDensityResidual"};

class Mace : public testing::TestWithParam<ModelDescription> {
 protected:
  ModelFile model() const { return initial_model(GetParam(), 7); }
};
INSTANTIATE_TEST_SUITE_P(
    shapes, Mace,
    testing::Values(shape(0, 3, 64), shape(0, 2, 0), shape(1, 3, 64), shape(2, 2, 0), shape(1, 4, 64), shape(0, 1, 64),
                    shape(1, 2, 64, k_residual), shape(1, 2, 0, k_density),
                    shape(1, 2, 64, k_density_residual, "bessel", "agnesi"), shape(0, 2, 0, {}, "gaussian", "agnesi"),
                    shape(0, 2, 0, {}, "bessel", "soft"), shape(0, 2, 64, k_density, "gaussian", "soft", true),
                    shape(0, 2, 0, k_density, "bessel", "none", true)),
    [](const auto& each) { return "shape" + std::to_string(each.index); });

double energy(const Potential& potential, const Structure& structure) {
  return evaluate(potential, {&structure, 1}, {.forces = false}).energies[0];
}

Structure moved(const Structure& structure, Eigen::Index atom, int axis, double step) {
  Coordinates positions = structure.positions();
  positions(atom, axis) += step;
  return structure.with_positions({positions});
}

TEST_P(Mace, forces_match_minus_energy_gradient) {
  const auto potential = potential_of(model());
  const Structure structure = triclinic(5, 11);

  const Prediction p = evaluate(*potential, {&structure, 1}, k_all);

  EXPECT_GT(p.forces.cwiseAbs().maxCoeff(), 1e-3);
  for (Eigen::Index i = 0; i < 5; ++i)
    for (int d = 0; d < 3; ++d) {
      const double numeric = -(energy(*potential, moved(structure, i, d, k_difference_step)) -
                               energy(*potential, moved(structure, i, d, -k_difference_step))) /
                             (2 * k_difference_step);
      EXPECT_NEAR(p.forces(i, d), numeric, k_difference) << i << ' ' << d;
    }
}

TEST_P(Mace, stress_matches_strain_derivative) {
  const auto potential = potential_of(model());
  const Structure structure = triclinic(4, 12, true);

  const Mat3 stress = evaluate(*potential, {&structure, 1}, k_all).stresses[0];

  for (int a = 0; a < 3; ++a)
    for (int b = 0; b < 3; ++b) {
      Mat3 strain = Mat3::Zero();
      strain(a, b) += 0.5 * k_difference_step;
      strain(b, a) += 0.5 * k_difference_step;
      const double numeric = (energy(*potential, structure.strained(strain)) -
                              energy(*potential, structure.strained(-strain))) /
                             (2 * k_difference_step * structure.lattice().volume());
      EXPECT_NEAR(stress(a, b), numeric, k_difference) << a << ' ' << b;
    }
}

TEST_P(Mace, energy_is_invariant_and_forces_turn_with_a_rotation_and_reflection) {
  const auto potential = potential_of(model());
  const Structure structure = triclinic(6, 13);
  Mat3 turn = Eigen::AngleAxisd(0.7, Vec3(1, 2, -0.5).normalized()).toRotationMatrix();
  turn.col(0) *= -1.0;
  const Structure turned(Lattice(structure.lattice().rows() * turn), k_periodic,
                         {structure.species().begin(), structure.species().end()},
                         Cartesian{structure.positions() * turn});

  const Prediction before = evaluate(*potential, {&structure, 1}, k_all);
  const Prediction after = evaluate(*potential, {&turned, 1}, k_all);

  EXPECT_NEAR(before.energies[0], after.energies[0], k_rounding);
  EXPECT_LT((before.forces * turn - after.forces).cwiseAbs().maxCoeff(), k_rounding);
  EXPECT_LT((turn.transpose() * before.stresses[0] * turn - after.stresses[0]).cwiseAbs().maxCoeff(), k_rounding);
}

TEST_P(Mace, a_batch_equals_its_single_structures) {
  const ModelFile file = model();
  const auto potential = potential_of(file), threaded = potential_of(file, "float64", 2);
  const std::vector<Structure> structures{triclinic(1, 14), triclinic(5, 15), triclinic(3, 16, true), triclinic(8, 17)};

  const Prediction batch = evaluate(*threaded, structures, k_all);

  Eigen::Index atom = 0;
  for (std::size_t s = 0; s < structures.size(); ++s) {
    const Prediction one = evaluate(*potential, {&structures[s], 1}, k_all);
    const auto n = static_cast<Eigen::Index>(structures[s].size());
    EXPECT_NEAR(batch.energies[static_cast<Eigen::Index>(s)], one.energies[0], k_rounding);
    EXPECT_LT((batch.forces.middleRows(atom, n) - one.forces).cwiseAbs().maxCoeff(), k_rounding);
    EXPECT_LT((batch.stresses[s] - one.stresses[0]).cwiseAbs().maxCoeff(), k_rounding);
    EXPECT_LT((batch.member_energies.row(static_cast<Eigen::Index>(s)) - one.member_energies.row(0)).cwiseAbs().maxCoeff(), k_rounding);
    EXPECT_NEAR(one.atom_energies.sum(), one.energies[0], k_rounding);
    EXPECT_NEAR(one.member_energies.row(0).mean(), one.energies[0], k_rounding);
    atom += n;
  }
}

TEST_P(Mace, energy_does_not_depend_on_translation_order_or_supercell) {
  const auto potential = potential_of(model());
  const Structure structure = triclinic(3, 18);
  Coordinates shifted = structure.positions();
  shifted.rowwise() += Eigen::RowVector3d(3.1, -7.7, 0.4);
  std::vector<Element> species(structure.species().rbegin(), structure.species().rend());
  const Structure reversed(structure.lattice(), k_periodic, species, Cartesian{shifted.colwise().reverse()});
  const Structure doubled = structure.supercell({2, 1, 1});

  const double reference = energy(*potential, structure);

  EXPECT_NEAR(energy(*potential, reversed), reference, k_rounding);
  EXPECT_NEAR(energy(*potential, doubled), 2 * reference, 2 * k_rounding);
}

TEST_P(Mace, energy_is_smooth_at_the_cutoff) {
  ModelFile file = model();
  file.description.average_neighbors = 1.0;  // two atoms have one neighbour each
  const auto potential = potential_of(file);
  const auto dimer = [&](double r) {
    Coordinates positions(2, 3);
    positions << 0, 0, 0, r * 0.6, r * 0.8, 0;
    const Structure structure({}, k_molecule, {Element(7), Element(14)}, Cartesian{positions});
    return evaluate(*potential, {&structure, 1});
  };
  const double free = dimer(4.5).energies[0];

  // The envelope falls as (1 − r/r_c)³; the spline's own value and slope are zero at the cutoff.
  EXPECT_NEAR(dimer(4.0 - 1e-3).energies[0], free, 1e-5);
  EXPECT_NEAR(dimer(4.0 - 1e-3).forces.cwiseAbs().maxCoeff(), 0.0, 2e-2);
  EXPECT_EQ(dimer(4.0).energies[0], free);
  EXPECT_GT(std::abs(dimer(2.0).energies[0] - free), 1e-3);
}

TEST(MaceModel, an_isolated_atom_has_its_reference_energy_and_no_force) {
  const ModelDescription d = small_description(0);
  const auto potential = potential_of(initial_model(d, 3));
  const Structure atom({}, k_molecule, {Element(14)}, Cartesian{Coordinates::Zero(1, 3)});

  const Prediction p = evaluate(*potential, {&atom, 1});

  EXPECT_NEAR(p.energies[0], -5.0 + d.shift, k_rounding);
  EXPECT_EQ(p.forces.cwiseAbs().maxCoeff(), 0.0);
}

TEST(MaceModel, float32_follows_float64) {
  const ModelFile file = initial_model(small_description(1), 5);
  const Structure structure = triclinic(8, 21);

  const Prediction narrow = evaluate(*potential_of(file, "float32"), {&structure, 1});
  const Prediction wide = evaluate(*potential_of(file), {&structure, 1});

  // 24 bits and some thousand operations on values of order 10.
  EXPECT_NEAR(narrow.energies[0], wide.energies[0], 1e-4);
  EXPECT_LT((narrow.forces - wide.forces).cwiseAbs().maxCoeff(), 1e-4 * std::max(1.0, wide.forces.cwiseAbs().maxCoeff()));
}

TEST(MaceModel, the_spline_follows_the_radial_network) {
  ModelFile splined = initial_model(small_description(0, 3, 256), 5);
  ModelFile exact = splined;
  exact.description.radial_nodes = 0;
  const Structure structure = triclinic(8, 22);

  const Prediction a = evaluate(*potential_of(splined), {&structure, 1});
  const Prediction b = evaluate(*potential_of(exact), {&structure, 1});

  EXPECT_NEAR(a.energies[0], b.energies[0], 1e-3 * std::abs(b.energies[0]));
  EXPECT_LT((a.forces - b.forces).norm(), 1e-2 * b.forces.norm());
}

TEST(MaceModel, an_unknown_element_is_an_error) {
  const auto potential = potential_of(initial_model(small_description(0), 3));
  const Structure atom({}, k_molecule, {Element(8)}, Cartesian{Coordinates::Zero(1, 3)});

  EXPECT_THROW(evaluate(*potential, {&atom, 1}), SpeciesError);
}

}  // namespace
