#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "tamiz/core/simulation/potential.hpp"

namespace tamiz {

enum class Ensemble { nve, langevin };

struct DynamicsOptions {
  Ensemble ensemble = Ensemble::nve;
  double timestep = 1.0;      ///< [fs]
  double temperature = 300.0; ///< [K], Langevin
  double friction = 0.01;     ///< [1/fs], Langevin
  std::uint64_t seed = 0;
  std::int64_t steps = 1000;  ///< absolute: a resumed state goes on to this step
  double skin = 0.5;          ///< [Å]
};

/// What an observer reads after a step; it never changes the state.
struct Snapshot {
  const Batch& batch;
  const State& state;
  const Prediction& prediction;
  double kinetic_energy;    ///< all structures [eV]
  double temperature;       ///< [K]
  double conserved_energy;  ///< NVE: total; Langevin: total minus the heat taken up since this call began [eV]
};
/// Return false to stop.
using Observer = std::function<bool(const Snapshot&)>;

/// Velocity Verlet (NVE) or BAOAB Langevin (Leimkuhler and Matthews 2013, doi:10.1093/amrx/abs010) from
/// `state.step` to `options.steps`; velocities that are absent start at zero. `observer` is called after each step.
/// Random numbers are a function of (seed, place in the batch, step): a run that is split and resumed from
/// its State gives the same bits, if the potential's bits do not depend on the skin. Throws NumericsError when an
/// energy, force or position is not finite, naming the step; UnitError for an option outside its range; ShapeError
/// for a state of another batch; SpeciesError.
void run_dynamics(const Potential& potential, const Batch& batch, State& state, const DynamicsOptions& options,
                  const Observer& observer = {});

/// √(k_B T/m) [Å/fs] of a mass [u] at a temperature [K]: the standard deviation of one component of its velocity.
double thermal_speed(double temperature, double mass);

/// Maxwell–Boltzmann velocities at `temperature` [K] without centre-of-mass motion; a function of the seed and
/// the place in the batch.
void set_thermal_velocities(const Batch& batch, State& state, double temperature, std::uint64_t seed);
/// [K], of the motion relative to the centre of mass: 3N − 3 degrees of freedom per structure. Single atoms
/// have none; 0 where nothing else is there.
double temperature_of(const Batch& batch, const State& state);
/// Of all atoms, with the motion of the centres of mass [eV].
double kinetic_energy_of(const Batch& batch, const State& state);

}  // namespace tamiz
