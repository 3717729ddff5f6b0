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
  double conserved_energy;  ///< NVE: total; Langevin: total minus the heat taken up [eV]
};
/// Return false to stop.
using Observer = std::function<bool(const Snapshot&)>;

/// Velocity Verlet (NVE) or BAOAB Langevin (Leimkuhler and Matthews 2013, doi:10.1093/amrx/abs010).
/// Random numbers are a function of (seed, structure id, step): a run that is split and resumed from
/// its State gives the same bits. Throws NumericsError when the energy or a position is not finite.
void run_dynamics(const Potential& potential, const Batch& batch, State& state, const DynamicsOptions& options,
                  const Observer& observer = {});

/// Maxwell–Boltzmann velocities at `temperature` [K] without centre-of-mass motion.
void set_thermal_velocities(const Batch& batch, State& state, double temperature, std::uint64_t seed);
/// [K], 3N − 3 degrees of freedom per structure.
double temperature_of(const Batch& batch, const State& state);
double kinetic_energy_of(const Batch& batch, const State& state);

}  // namespace tamiz
