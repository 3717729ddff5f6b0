#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tamiz/core/analysis/phonons.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/units.hpp"
#include "tamiz/potentials/engine/classical/classical.hpp"
#include "tamiz/potentials/engine/classical/lennard_jones.hpp"
#include "tamiz/potentials/engine/load.hpp"

using namespace tamiz;

namespace {

constexpr double k_difference = 2e-4;  // [THz] of central differences of 0.01 Å, whose error goes with its square
constexpr double k_exact = 1e-8;       // [THz]
constexpr double k_bond = 3.8;         // [Å] of least energy
constexpr double k_epsilon = 0.01;     // [eV]

/// Argon whose atoms see nearest neighbours only, in a cubic close packing with bonds of `bond`.
LennardJones nearest_neighbours() {
  LennardJones::Parameters parameters;
  parameters.elements = {Element(18)};
  parameters.pairs = {{k_epsilon, k_bond / std::pow(2.0, 1.0 / 6.0)}};
  parameters.cutoff = 1.35 * k_bond;
  parameters.switch_width = 0.1;
  return LennardJones(parameters);
}

Structure close_packed(double bond, bool cubic = false) {
  const double a = std::numbers::sqrt2 * bond, half = 0.5 * a;
  if (cubic)
    return Structure(Lattice(Mat3(a * Mat3::Identity())), k_periodic, std::vector<Element>(4, Element(18)),
                     Cartesian{(Coordinates(4, 3) << 0, 0, 0, 0, half, half, half, 0, half, half, half, 0).finished()});
  const Mat3 rows = (Mat3() << 0, half, half, half, 0, half, half, half, 0).finished();
  return Structure(Lattice(rows), k_periodic, {Element(18)}, Cartesian{Coordinates::Zero(1, 3)});
}

/// [THz] of a spring [eV/Å²] and a mass [u].
double of_spring(double spring, double mass) { return 1e3 * std::sqrt(spring / mass * units::k_acceleration) / (2.0 * std::numbers::pi); }

Phonons phonons_of(const Potential& potential, const Structure& cell, std::array<int, 3> copies) {
  return Phonons(force_constants(potential, cell, copies));
}

std::unique_ptr<Potential> silicon_potential() {
  return load_potential(std::string(TAMIZ_SOURCE_DIR) + "/datasets/potentials/stillinger-weber-si.toml", {});
}

Structure silicon(bool cubic) {
  const double a = 5.431, h = 0.5 * a, q = 0.25 * a;
  if (!cubic) {
    const Mat3 rows = (Mat3() << 0, h, h, h, 0, h, h, h, 0).finished();
    return Structure(Lattice(rows), k_periodic, std::vector<Element>(2, Element(14)), Cartesian{(Coordinates(2, 3) << 0, 0, 0, q, q, q).finished()});
  }
  Coordinates places(8, 3);
  places << 0, 0, 0, 0, h, h, h, 0, h, h, h, 0, q, q, q, q, q + h, q + h, q + h, q, q + h, q + h, q + h, q;
  return Structure(Lattice(Mat3(a * Mat3::Identity())), k_periodic, std::vector<Element>(8, Element(14)), Cartesian{places});
}

/// Hides that a potential has second derivatives.
class WithoutSecondDerivatives final : public Potential {
 public:
  explicit WithoutSecondDerivatives(const Potential& potential) : potential_(potential) {}
  std::string name() const override { return potential_.name(); }
  Capabilities capabilities() const override {
    Capabilities capabilities = potential_.capabilities();
    capabilities.second_derivatives = false;
    return capabilities;
  }
  NeighborRequest neighbors() const override { return potential_.neighbors(); }
  Prediction evaluate(const Batch& batch, const State& state, const NeighborList& neighbors, const Outputs& outputs) const override {
    return potential_.evaluate(batch, state, neighbors, outputs);
  }

 private:
  const Potential& potential_;
};

}  // namespace

TEST(Phonons, a_close_packing_with_springs_has_the_known_frequencies_at_X) {
  const LennardJones potential = nearest_neighbours();
  const double spring = 72.0 * k_epsilon / (k_bond * k_bond), mass = Element(18).mass();

  const Phonons phonons = phonons_of(potential, close_packed(k_bond), {2, 2, 2});
  const Eigen::VectorXd at_x = phonons.frequencies(Vec3(0.5, 0.5, 0.0));

  EXPECT_NEAR(at_x[0], of_spring(4.0 * spring, mass), k_difference);
  EXPECT_NEAR(at_x[1], of_spring(4.0 * spring, mass), k_difference);
  EXPECT_NEAR(at_x[2], of_spring(8.0 * spring, mass), k_difference);
}

TEST(Phonons, moving_all_atoms_together_costs_nothing) {
  const auto potential = silicon_potential();

  const Eigen::VectorXd centre = phonons_of(*potential, silicon(false), {2, 2, 2}).frequencies(Vec3::Zero());

  EXPECT_LT(centre.head(3).cwiseAbs().maxCoeff(), 1e-4);
  EXPECT_GT(centre[3], 10.0);
}

TEST(Phonons, the_cubic_cell_has_the_modes_of_the_primitive_one) {
  const auto potential = silicon_potential();
  const Phonons cubic = phonons_of(*potential, silicon(true), {3, 3, 3}), primitive = phonons_of(*potential, silicon(false), {6, 6, 6});

  const Eigen::VectorXd folded = cubic.frequencies(Vec3::Zero());
  std::vector<double> expected;
  for (const Vec3& point : {Vec3(0, 0, 0), Vec3(0.5, 0.5, 0), Vec3(0.5, 0, 0.5), Vec3(0, 0.5, 0.5)})
    for (const double frequency : primitive.frequencies(point)) expected.push_back(frequency);
  std::sort(expected.begin(), expected.end());

  for (std::size_t k = 0; k < expected.size(); ++k) EXPECT_NEAR(folded[static_cast<Eigen::Index>(k)], expected[k], 5e-4) << k;
}

TEST(Phonons, interpolated_frequencies_do_not_depend_on_the_shape_of_the_supercell) {
  const auto potential = silicon_potential();
  const Phonons longer = phonons_of(*potential, silicon(false), {5, 6, 4}), cube = phonons_of(*potential, silicon(false), {4, 4, 4});

  const Vec3 somewhere(0.21, -0.13, 0.37);

  EXPECT_LT((longer.frequencies(somewhere) - cube.frequencies(somewhere)).cwiseAbs().maxCoeff(), 5e-4);
}

TEST(Phonons, opposite_and_equivalent_wave_vectors_have_the_same_frequencies) {
  const auto potential = silicon_potential();
  const Phonons phonons = phonons_of(*potential, silicon(false), {3, 3, 3});
  const Vec3 point(0.2, 0.1, -0.3);

  const Eigen::VectorXd modes = phonons.frequencies(point);

  EXPECT_LT((phonons.frequencies(-point) - modes).cwiseAbs().maxCoeff(), k_exact);
  EXPECT_LT((phonons.frequencies(point + Vec3(1, -2, 1)) - modes).cwiseAbs().maxCoeff(), k_exact);
  EXPECT_LT((phonons.dynamical_matrix(point) - phonons.dynamical_matrix(point).adjoint()).norm(), 1e-14);
}

TEST(Phonons, a_stretched_crystal_is_unstable_and_a_relaxed_one_is_not) {
  const LennardJones potential = nearest_neighbours();

  const Phonons::Mode at_rest = phonons_of(potential, close_packed(k_bond), {3, 3, 3}).lowest();
  const Phonons::Mode stretched = phonons_of(potential, close_packed(1.2 * k_bond), {3, 3, 3}).lowest();

  EXPECT_GT(at_rest.frequency, 0.1);
  EXPECT_LT(stretched.frequency, -0.1);
  EXPECT_GT(stretched.wave_vector.norm(), 0.1);
}

TEST(Phonons, the_energy_along_a_mode_rises_or_falls_with_its_frequency) {
  const LennardJones potential = nearest_neighbours();
  for (const double bond : {k_bond, 1.2 * k_bond}) {
    const Phonons phonons = phonons_of(potential, close_packed(bond), {3, 3, 2});
    const Phonons::Mode lowest = phonons.lowest();
    const double amplitude = 0.01;

    const Structure along = phonons.along_lowest(lowest.wave_vector, amplitude);

    const Structure rest = close_packed(bond).supercell({static_cast<int>(std::round(along.lattice().rows().row(0).norm() / bond)),
                                                         static_cast<int>(std::round(along.lattice().rows().row(1).norm() / bond)),
                                                         static_cast<int>(std::round(along.lattice().rows().row(2).norm() / bond))});
    ASSERT_EQ(along.size(), rest.size());
    const Coordinates step = along.positions() - rest.positions();
    EXPECT_NEAR(step.rowwise().norm().maxCoeff(), amplitude, 1e-12);
    const double angular = 2.0 * std::numbers::pi * 1e-3 * lowest.frequency;
    const double expected = 0.5 * std::copysign(angular * angular, angular) * Element(18).mass() * step.squaredNorm() / units::k_acceleration;
    const auto energy = [&](const Structure& structure) { return evaluate(potential, std::vector<Structure>{structure}).energies[0]; };
    EXPECT_NEAR(energy(along) - energy(rest), expected, 0.02 * std::abs(expected));
  }
  EXPECT_THROW(phonons_of(potential, close_packed(k_bond), {2, 2, 2}).along_lowest(Vec3(0.3, 0.0, 0.0), 0.1), ShapeError);
}

TEST(Phonons, second_derivatives_and_differences_agree) {
  const auto potential = load_potential(std::string(TAMIZ_SOURCE_DIR) + "/datasets/models/ca-mg-si-n.safetensors", {.dtype = "float64"});
  const double a = 6.36, q = 0.25 * a, h = 0.5 * a;
  const Structure antifluorite(Lattice((Mat3() << 0, h, h, h, 0, h, h, h, 0).finished()), k_periodic, {Element(14), Element(12), Element(12)},
                               Cartesian{(Coordinates(3, 3) << 0, 0, 0, q, q, q, 3 * q, 3 * q, 3 * q).finished()});

  const ForceConstants exact = force_constants(*potential, antifluorite, {2, 2, 2});
  const ForceConstants differences = force_constants(WithoutSecondDerivatives(*potential), antifluorite, {2, 2, 2}, {.displacement = 0.002});

  ASSERT_TRUE(potential->capabilities().second_derivatives);
  EXPECT_LT((exact.values - differences.values).cwiseAbs().maxCoeff(), 1e-4 * exact.values.cwiseAbs().maxCoeff());
  const Vec3 point(0.5, 0.0, 0.0);
  EXPECT_LT((Phonons(exact).frequencies(point) - Phonons(differences).frequencies(point)).cwiseAbs().maxCoeff(), 0.01);
}

TEST(Phonons, batches_make_no_difference) {
  const auto potential = silicon_potential();

  const ForceConstants together = force_constants(*potential, silicon(false), {2, 2, 2}, {.atoms_per_batch = 100000});
  const ForceConstants alone = force_constants(*potential, silicon(false), {2, 2, 2}, {.atoms_per_batch = 1});

  EXPECT_LT((together.values - alone.values).cwiseAbs().maxCoeff(), 1e-10);
}

TEST(Phonons, a_pair_of_atoms_vibrates_along_its_bond_only) {
  const LennardJones potential = nearest_neighbours();
  const Structure pair({}, k_molecule, std::vector<Element>(2, Element(18)), Cartesian{(Coordinates(2, 3) << 0, 0, 0, 0, 0, k_bond).finished()});

  const Phonons::Mode stretch = phonons_of(potential, pair, {1, 1, 1}).lowest();

  EXPECT_NEAR(stretch.frequency, of_spring(2.0 * 72.0 * k_epsilon / (k_bond * k_bond), Element(18).mass()), 5e-4);
}

TEST(Phonons, one_atom_alone_has_nothing_to_vibrate_against) {
  const LennardJones potential = nearest_neighbours();

  EXPECT_TRUE(std::isinf(phonons_of(potential, close_packed(k_bond), {1, 1, 1}).lowest().frequency));
}

TEST(Phonons, commensurate_points_are_those_of_the_supercell_up_to_sign) {
  const LennardJones potential = nearest_neighbours();

  const std::vector<Vec3> points = phonons_of(potential, close_packed(k_bond), {3, 2, 1}).commensurate();

  EXPECT_EQ(points.size(), 4u);  // (0 | 1/3) × (0 | 1/2)
  EXPECT_TRUE(points.front().isZero());
}

TEST(Phonons, supercells_are_as_wide_as_asked_for_along_what_repeats) {
  const Structure cell = close_packed(k_bond);
  const Structure sheet(Lattice(Mat3(4.0 * Mat3::Identity())), {true, false, true}, {Element(18)}, Cartesian{Coordinates::Zero(1, 3)});

  const Structure supercell = cell.supercell(copies_for(cell, 15.0));

  EXPECT_GE(supercell.lattice().heights().minCoeff(), 15.0);
  EXPECT_EQ(copies_for(sheet, 12.0), (std::array<int, 3>{3, 1, 3}));
  EXPECT_THROW(copies_for(cell, 0.0), UnitError);
}

TEST(Phonons, properties_of_one_mode_are_those_of_an_oscillator) {
  const double frequency = 5.0, temperature = 300.0;
  const Eigen::MatrixXd mode = Eigen::MatrixXd::Constant(1, 1, frequency);
  const double quantum = units::k_planck * frequency, x = quantum / (units::k_boltzmann * temperature);

  const HarmonicProperties warm = harmonic_properties(mode, temperature), cold = harmonic_properties(mode, 0.0),
                           hot = harmonic_properties(mode, 30000.0);

  EXPECT_NEAR(cold.free_energy, 0.5 * quantum, 1e-12);
  EXPECT_EQ(cold.entropy, 0.0);
  const double energy = quantum * (0.5 + 1.0 / (std::exp(x) - 1.0));
  EXPECT_NEAR(warm.free_energy, energy - temperature * warm.entropy, 1e-12);
  EXPECT_NEAR(hot.heat_capacity, units::k_boltzmann, 1e-4 * units::k_boltzmann);
  const double step = 0.01;
  const double slope = (harmonic_properties(mode, temperature + step).free_energy - harmonic_properties(mode, temperature - step).free_energy) / (2.0 * step);
  EXPECT_NEAR(warm.entropy, -slope, 1e-9);
  EXPECT_THROW(harmonic_properties(mode, -1.0), UnitError);
}

TEST(Phonons, imaginary_modes_have_no_part_in_properties) {
  const Eigen::MatrixXd modes = (Eigen::MatrixXd(1, 2) << -3.0, 5.0).finished();

  EXPECT_EQ(harmonic_properties(modes, 300.0).entropy, harmonic_properties(modes.rightCols(1), 300.0).entropy);
}

TEST(Phonons, meshes_lie_about_the_zone_centre_without_it) {
  for (const int n : {2, 3}) {
    const std::vector<Vec3> points = phonon_mesh({n, n, 1});

    EXPECT_EQ(points.size(), static_cast<std::size_t>(n * n));
    for (const Vec3& point : points) {
      EXPECT_FALSE(point.isZero());
      EXPECT_EQ(point[2], 0.0);
      EXPECT_TRUE(std::any_of(points.begin(), points.end(), [&](const Vec3& other) {
        const Vec3 sum = point + other;
        return (sum.array() - sum.array().round()).matrix().norm() < 1e-12;
      }));
    }
  }
  EXPECT_THROW(phonon_mesh({0, 1, 1}), ShapeError);
}
