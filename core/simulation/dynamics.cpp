#include "tamiz/core/simulation/dynamics.hpp"

#include <cmath>
#include <limits>
#include <optional>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/philox.hpp"
#include "tamiz/core/base/units.hpp"

namespace tamiz {
namespace {

Eigen::Index row_of(std::size_t atom) { return static_cast<Eigen::Index>(atom); }

double kinetic_energy(const Vec3& velocity, double mass) { return 0.5 * mass * velocity.squaredNorm() / units::k_acceleration; }

void check_state(const Batch& batch, const State& state) {
  if (static_cast<std::size_t>(state.positions.rows()) != batch.n_atoms() || state.cells.size() != batch.n_structures())
    throw ShapeError("the state does not belong to the batch");
  if (state.velocities.rows() != 0 && static_cast<std::size_t>(state.velocities.rows()) != batch.n_atoms())
    throw ShapeError("expected one velocity per atom, got " + std::to_string(state.velocities.rows()) + " for " +
                     std::to_string(batch.n_atoms()) + " atoms");
}

void check_options(const DynamicsOptions& options) {
  if (!(options.timestep > 0.0) || !std::isfinite(options.timestep)) throw UnitError("the time step must be above 0 fs");
  if (!(options.skin >= 0.0)) throw UnitError("the skin must not be below 0 Å");
  // The random numbers count steps with 32 bits.
  if (options.steps > std::numeric_limits<std::uint32_t>::max()) throw UnitError("at most 4294967295 steps can be numbered");
  if (options.ensemble != Ensemble::langevin) return;
  if (!(options.temperature >= 0.0) || !std::isfinite(options.temperature))
    throw UnitError("the temperature must not be below 0 K");
  if (!(options.friction > 0.0) || !std::isfinite(options.friction)) throw UnitError("the friction must be above 0 per fs");
}

/// One run: the potential with its forces at the present positions, and the parts of a step.
class Run {
 public:
  Run(const Potential& potential, const Batch& batch, State& state, const DynamicsOptions& options)
      : potential_(potential), batch_(batch), state_(state), options_(options) {
    if (state_.velocities.rows() == 0) state_.velocities = Coordinates::Zero(row_of(batch.n_atoms()), 3);
    update_forces();
  }

  void step() {
    const bool thermostat = options_.ensemble == Ensemble::langevin;
    ++state_.step;
    kick();
    drift(thermostat ? 0.5 : 1.0);
    if (thermostat) {
      exchange_heat();
      drift(0.5);
    }
    update_forces();
    kick();
  }

  Snapshot snapshot() const {
    const double kinetic = kinetic_energy_of(batch_, state_);
    const double total = prediction_.energies.sum() + kinetic;
    return {batch_, state_, prediction_, kinetic, temperature_of(batch_, state_), total - heat_};
  }

 private:
  /// B: half a step of acceleration.
  void kick() {
    for (std::size_t a = 0; a < batch_.n_atoms(); ++a)
      state_.velocities.row(row_of(a)) += 0.5 * options_.timestep * units::k_acceleration / batch_.masses()[a] *
                                          prediction_.forces.row(row_of(a));
  }

  /// A: motion over a fraction of a step.
  void drift(double fraction) { state_.positions += fraction * options_.timestep * state_.velocities; }

  /// O: the exact solution of dv = −γ v dt + √(2γ k_B T/m) dW over one step.
  void exchange_heat() {
    const double keep = std::exp(-options_.friction * options_.timestep);
    const double renew = std::sqrt(-std::expm1(-2.0 * options_.friction * options_.timestep));
    for (std::size_t s = 0; s < batch_.n_structures(); ++s) {
      Philox random(options_.seed, streams::k_thermostat, s, static_cast<std::uint32_t>(state_.step));
      for (std::size_t a = batch_.offsets()[s]; a < batch_.offsets()[s + 1]; ++a) {
        const double mass = batch_.masses()[a], speed = thermal_speed(options_.temperature, mass);
        const Vec3 before = state_.velocities.row(row_of(a)).transpose();
        Vec3 after;
        for (int k = 0; k < 3; ++k) after[k] = keep * before[k] + renew * speed * random.normal();
        heat_ += kinetic_energy(after, mass) - kinetic_energy(before, mass);
        state_.velocities.row(row_of(a)) = after.transpose();
      }
    }
  }

  void update_forces() {
    if (!state_.positions.allFinite() || !state_.velocities.allFinite()) fail("a position or velocity is not finite");
    try {
      if (!neighbors_ || !neighbors_->still_valid(batch_, state_))
        neighbors_ = build_neighbors(batch_, state_, {potential_.neighbors().cutoff, options_.skin}, potential_.threads());
      prediction_ = potential_.evaluate(batch_, state_, *neighbors_, {.forces = true});
    } catch (const NumericsError& error) {
      fail(error.what());
    }
    if (!prediction_.energies.allFinite() || !prediction_.forces.allFinite()) fail("an energy or force is not finite");
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw NumericsError(what + " at step " + std::to_string(state_.step) + "; try a shorter time step than " +
                        std::to_string(options_.timestep) + " fs, or relax the structure first");
  }

  const Potential& potential_;
  const Batch& batch_;
  State& state_;
  const DynamicsOptions& options_;
  std::optional<NeighborList> neighbors_;
  Prediction prediction_;
  double heat_ = 0.0;  // taken up from the thermostat [eV]
};

}  // namespace

void run_dynamics(const Potential& potential, const Batch& batch, State& state, const DynamicsOptions& options,
                  const Observer& observer) {
  check_options(options);
  check_state(batch, state);
  require_species(potential, batch.species());
  if (state.step >= options.steps) return;
  Run run(potential, batch, state, options);
  while (state.step < options.steps) {
    run.step();
    if (observer && !observer(run.snapshot())) return;
  }
}

}  // namespace tamiz
