#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/units.hpp"
#include "tamiz/core/simulation/dynamics.hpp"
#include "tamiz/potentials/engine/classical/classical.hpp"
#include "tamiz/tests/support/random_cells.hpp"

using namespace tamiz;

namespace {

constexpr double k_spring = 5.0;  // [eV/Å²]

/// Every atom on a spring to the origin: E = ½ k x². Its motion is known exactly.
class Springs : public Potential {
 public:
  std::string name() const override { return "springs"; }
  Capabilities capabilities() const override { return {.stress = false, .atom_energies = false, .n_members = 0, .elements = {}}; }
  NeighborRequest neighbors() const override { return {0.1, 0.0}; }
  Prediction evaluate(const Batch& batch, const State& state, const NeighborList&, const Outputs&) const override {
    Prediction prediction;
    prediction.energies = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(batch.n_structures()));
    for (std::size_t a = 0; a < batch.n_atoms(); ++a)
      prediction.energies[batch.owners()[a]] += 0.5 * k_spring * state.positions.row(static_cast<Eigen::Index>(a)).squaredNorm();
    prediction.forces = -k_spring * state.positions;
    return prediction;
  }
};

/// Gives an energy that is not a number once an atom passes 1 Å.
class Cliff : public Springs {
 public:
  Prediction evaluate(const Batch& batch, const State& state, const NeighborList& list, const Outputs& outputs) const override {
    Prediction prediction = Springs::evaluate(batch, state, list, outputs);
    if (state.positions.cwiseAbs().maxCoeff() > 1.0) prediction.energies.setConstant(std::nan(""));
    return prediction;
  }
};

const Element k_si = Element::from_symbol("Si");

double frequency() { return std::sqrt(k_spring / k_si.mass() * units::k_acceleration); }  // [1/fs]

/// n silicon atoms far from each other, free in space.
Structure free_atoms(std::size_t n, double x = 0.0) {
  Coordinates positions = Coordinates::Zero(static_cast<Eigen::Index>(n), 3);
  positions.col(0).setConstant(x);
  return Structure(Lattice(), k_molecule, std::vector<Element>(n, k_si), Cartesian{positions});
}

struct System {
  explicit System(std::vector<Structure> structures) : batch(structures), state(State::of(structures)) {}
  explicit System(const Structure& structure) : System(std::vector<Structure>{structure}) {}
  Batch batch;
  State state;
};

/// Error of the position after `time` [fs] with steps of `timestep`, for x(0) = 1 Å at rest.
double oscillator_error(double timestep, double time) {
  System system(free_atoms(1, 1.0));
  const auto steps = static_cast<std::int64_t>(std::lround(time / timestep));
  run_dynamics(Springs(), system.batch, system.state, {.timestep = timestep, .steps = steps});
  return system.state.positions(0, 0) - std::cos(frequency() * timestep * static_cast<double>(steps));
}

std::unique_ptr<Potential> silicon() {
  return make_classical_potential(std::string(TAMIZ_SOURCE_DIR) + "/datasets/potentials/stillinger-weber-si.toml");
}

Structure diamond_64() {
  Mat3 cell;
  cell << 0.0, 2.7155, 2.7155, 2.7155, 0.0, 2.7155, 2.7155, 2.7155, 0.0;
  Coordinates fractional(2, 3);
  fractional << 0.0, 0.0, 0.0, 0.25, 0.25, 0.25;
  return Structure(Lattice(cell), k_periodic, {k_si, k_si}, Fractional{fractional}).supercell({4, 4, 2});
}

}  // namespace

TEST(Dynamics, an_oscillator_follows_its_exact_discrete_solution) {
  // Velocity Verlet turns the phase by arccos(1 − (ωΔt)²/2) in each step.
  const double timestep = 3.0, turn = std::acos(1.0 - 0.5 * std::pow(frequency() * timestep, 2));
  System system(free_atoms(1, 1.0));

  run_dynamics(Springs(), system.batch, system.state, {.timestep = timestep, .steps = 1000});

  EXPECT_NEAR(system.state.positions(0, 0), std::cos(1000.0 * turn), 1e-9);
  EXPECT_EQ(system.state.step, 1000);
}

TEST(Dynamics, the_error_of_an_oscillator_falls_with_the_square_of_the_step) {
  const double coarse = oscillator_error(2.0, 200.0), fine = oscillator_error(1.0, 200.0);

  EXPECT_GT(std::abs(coarse), 1e-5);
  EXPECT_NEAR(coarse / fine, 4.0, 0.1);
}

TEST(Dynamics, reversed_velocities_lead_back_to_the_start) {
  const auto potential = silicon();
  System system(diamond_64());
  set_thermal_velocities(system.batch, system.state, 600.0, 1);
  const Coordinates start = system.state.positions;

  run_dynamics(*potential, system.batch, system.state, {.timestep = 1.0, .steps = 50});
  const double travelled = (system.state.positions - start).cwiseAbs().maxCoeff();
  system.state.velocities *= -1.0;
  run_dynamics(*potential, system.batch, system.state, {.timestep = 1.0, .steps = 100});

  EXPECT_GT(travelled, 0.1);
  EXPECT_LT((system.state.positions - start).cwiseAbs().maxCoeff(), 1e-10);
}

TEST(Dynamics, nve_conserves_energy_momentum_and_converges_with_the_square_of_the_step) {
  const auto potential = silicon();
  const auto largest_deviation = [&](double timestep) {
    System system(diamond_64());
    set_thermal_velocities(system.batch, system.state, 300.0, 2);
    double first = 0.0, largest = 0.0;
    run_dynamics(*potential, system.batch, system.state,
                 {.timestep = timestep, .steps = static_cast<std::int64_t>(400.0 / timestep)}, [&](const Snapshot& snapshot) {
                   if (snapshot.state.step == 1) first = snapshot.conserved_energy;
                   largest = std::max(largest, std::abs(snapshot.conserved_energy - first));
                   return true;
                 });
    EXPECT_LT(system.state.velocities.colwise().sum().norm(), 1e-12);
    return largest;
  };

  const double coarse = largest_deviation(2.0), fine = largest_deviation(1.0);

  EXPECT_LT(fine / 64.0, 1e-4);  // [eV/atom]
  EXPECT_NEAR(coarse / fine, 4.0, 1.5);
}

TEST(Dynamics, langevin_samples_the_asked_temperature) {
  // 200 oscillators, so 600 independent degrees of freedom. With friction 0.02/fs velocities forget themselves
  // within 2/γ = 100 fs: 20,000 fs hold at least 100 independent pictures. The standard error of the mean kinetic
  // energy is √(2/(600·100)) = 0.6 %; four of them are allowed.
  for (const double temperature : {200.0, 900.0}) {
    System system(std::vector<Structure>(200, free_atoms(1)));
    const double k_t = units::k_boltzmann * temperature;
    double kinetic = 0.0, squares = 0.0, fourth = 0.0;
    int n = 0;
    run_dynamics(Springs(), system.batch, system.state,
                 {.ensemble = Ensemble::langevin, .timestep = 4.0, .temperature = temperature, .friction = 0.02, .seed = 3, .steps = 6000},
                 [&](const Snapshot& snapshot) {
                   if (snapshot.state.step <= 1000) return true;  // warms up from rest
                   kinetic += snapshot.kinetic_energy / 300.0;
                   squares += snapshot.state.positions.squaredNorm() / 600.0;
                   fourth += snapshot.state.positions.array().square().square().mean();
                   ++n;
                   return true;
                 });

    EXPECT_NEAR(kinetic / n / k_t, 1.0, 4 * 0.006) << temperature;
    // BAOAB samples the positions of a harmonic oscillator without any error of the step.
    EXPECT_NEAR(squares / n * k_spring / k_t, 1.0, 4 * 0.006) << temperature;
    // ⟨x⁴⟩ = 3⟨x²⟩² for a Gaussian; its relative error is √(32/3) times larger than 1/√n, so 1.3 %.
    EXPECT_NEAR(fourth / n / (3.0 * std::pow(k_t / k_spring, 2)), 1.0, 4 * 0.0135) << temperature;
  }
}

TEST(Dynamics, langevin_conserves_the_energy_minus_the_heat) {
  const auto potential = silicon();
  System system(diamond_64());
  set_thermal_velocities(system.batch, system.state, 100.0, 4);
  double first = 0.0, last = 0.0, cold = 0.0, warm = 0.0;

  run_dynamics(*potential, system.batch, system.state,
               {.ensemble = Ensemble::langevin, .timestep = 0.5, .temperature = 500.0, .friction = 0.01, .seed = 5, .steps = 800},
               [&](const Snapshot& snapshot) {
                 const double total = snapshot.prediction.energies.sum() + snapshot.kinetic_energy;
                 if (snapshot.state.step == 1) first = snapshot.conserved_energy, cold = total;
                 last = snapshot.conserved_energy, warm = total;
                 return true;
               });

  EXPECT_GT(warm - cold, 2.0);  // [eV], the crystal took up heat
  EXPECT_NEAR(last, first, 64 * 2e-4);
}

TEST(Dynamics, a_run_that_is_split_gives_the_same_bits) {
  const auto potential = silicon();
  for (const Ensemble ensemble : {Ensemble::nve, Ensemble::langevin}) {
    const std::vector<Structure> structures{diamond_64(), diamond_64().supercell({1, 1, 2})};
    System whole(structures), split(structures);
    DynamicsOptions options{.ensemble = ensemble, .timestep = 2.0, .temperature = 1500.0, .friction = 0.01, .seed = 6, .steps = 60};
    set_thermal_velocities(whole.batch, whole.state, 1500.0, 6);
    set_thermal_velocities(split.batch, split.state, 1500.0, 6);

    run_dynamics(*potential, whole.batch, whole.state, options);
    options.steps = 17;
    run_dynamics(*potential, split.batch, split.state, options);
    const State copy = split.state;
    State resumed = copy;
    options.steps = 60;
    run_dynamics(*potential, split.batch, resumed, options);

    EXPECT_EQ(resumed.positions, whole.state.positions);
    EXPECT_EQ(resumed.velocities, whole.state.velocities);
    EXPECT_EQ(resumed.step, 60);
  }
}

TEST(Dynamics, other_seeds_give_other_noise) {
  System a(free_atoms(3)), b(free_atoms(3));
  DynamicsOptions options{.ensemble = Ensemble::langevin, .seed = 1, .steps = 5};
  run_dynamics(Springs(), a.batch, a.state, options);
  options.seed = 2;
  run_dynamics(Springs(), b.batch, b.state, options);

  EXPECT_GT((a.state.positions - b.state.positions).norm(), 1e-6);
}

TEST(Dynamics, an_observer_can_stop_the_run) {
  System system(free_atoms(1, 1.0));

  run_dynamics(Springs(), system.batch, system.state, {.steps = 100}, [](const Snapshot& s) { return s.state.step < 7; });

  EXPECT_EQ(system.state.step, 7);
}

TEST(Dynamics, thermal_velocities_have_the_temperature_and_no_drift) {
  System system(std::vector<Structure>{free_atoms(4000), free_atoms(2)});

  set_thermal_velocities(system.batch, system.state, 450.0, 8);

  // Standard error √(2/(3·4000)) = 1.3 %.
  EXPECT_NEAR(temperature_of(system.batch, system.state), 450.0, 4 * 0.013 * 450.0);
  EXPECT_LT(system.state.velocities.topRows(4000).colwise().sum().norm(), 1e-12);
  EXPECT_LT(system.state.velocities.bottomRows(2).colwise().sum().norm(), 1e-15);
  EXPECT_GT(system.state.velocities.bottomRows(2).norm(), 0.0);
}

TEST(Dynamics, values_that_are_not_finite_stop_the_run_with_the_step) {
  System system(free_atoms(1, 0.9));
  system.state.velocities = Coordinates::Zero(1, 3);
  system.state.velocities(0, 0) = 0.05;

  try {
    run_dynamics(Cliff(), system.batch, system.state, {.timestep = 1.0, .steps = 100});
    FAIL() << "expected a NumericsError";
  } catch (const NumericsError& error) {
    EXPECT_NE(std::string(error.what()).find("at step 3"), std::string::npos) << error.what();
  }
}

TEST(Dynamics, impossible_options_are_refused) {
  System system(free_atoms(1));
  EXPECT_THROW(run_dynamics(Springs(), system.batch, system.state, {.timestep = 0.0}), UnitError);
  EXPECT_THROW(run_dynamics(Springs(), system.batch, system.state, {.ensemble = Ensemble::langevin, .friction = 0.0}), UnitError);
  EXPECT_THROW(run_dynamics(Springs(), system.batch, system.state, {.ensemble = Ensemble::langevin, .temperature = -1.0}), UnitError);
  system.state.velocities = Coordinates::Zero(2, 3);
  EXPECT_THROW(run_dynamics(Springs(), system.batch, system.state, {}), ShapeError);
}
