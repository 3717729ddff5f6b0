#include <cmath>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/philox.hpp"
#include "tamiz/core/base/units.hpp"
#include "tamiz/core/simulation/dynamics.hpp"

namespace tamiz {
namespace {

Eigen::Index row_of(std::size_t atom) { return static_cast<Eigen::Index>(atom); }

/// Velocity of the centre of mass of structure s [Å/fs].
Vec3 drift_of(const Batch& batch, const State& state, std::size_t s) {
  Vec3 momentum = Vec3::Zero();
  double mass = 0.0;
  for (std::size_t a = batch.offsets()[s]; a < batch.offsets()[s + 1]; ++a) {
    momentum += batch.masses()[a] * state.velocities.row(row_of(a)).transpose();
    mass += batch.masses()[a];
  }
  return momentum / mass;
}

}  // namespace

double thermal_speed(double temperature, double mass) {
  return std::sqrt(units::k_boltzmann * temperature / mass * units::k_acceleration);
}

void set_thermal_velocities(const Batch& batch, State& state, double temperature, std::uint64_t seed) {
  if (!(temperature >= 0.0) || !std::isfinite(temperature)) throw UnitError("the temperature must not be below 0 K");
  state.velocities = Coordinates::Zero(row_of(batch.n_atoms()), 3);
  for (std::size_t s = 0; s < batch.n_structures(); ++s) {
    if (batch.n_atoms(s) == 0) continue;
    Philox random(seed, streams::k_velocities, s, 0);
    for (std::size_t a = batch.offsets()[s]; a < batch.offsets()[s + 1]; ++a) {
      const double speed = thermal_speed(temperature, batch.masses()[a]);
      for (int k = 0; k < 3; ++k) state.velocities(row_of(a), k) = speed * random.normal();
    }
    const Vec3 drift = drift_of(batch, state, s);
    for (std::size_t a = batch.offsets()[s]; a < batch.offsets()[s + 1]; ++a)
      state.velocities.row(row_of(a)) -= drift.transpose();
  }
}

double kinetic_energy_of(const Batch& batch, const State& state) {
  double twice = 0.0;
  for (std::size_t a = 0; a < static_cast<std::size_t>(state.velocities.rows()); ++a)
    twice += batch.masses()[a] * state.velocities.row(row_of(a)).squaredNorm();
  return 0.5 * twice / units::k_acceleration;
}

double temperature_of(const Batch& batch, const State& state) {
  if (state.velocities.rows() == 0) return 0.0;
  double twice = 0.0, freedom = 0.0;
  for (std::size_t s = 0; s < batch.n_structures(); ++s) {
    if (batch.n_atoms(s) < 2) continue;
    const Vec3 drift = drift_of(batch, state, s);
    for (std::size_t a = batch.offsets()[s]; a < batch.offsets()[s + 1]; ++a)
      twice += batch.masses()[a] * (state.velocities.row(row_of(a)).transpose() - drift).squaredNorm();
    freedom += 3.0 * static_cast<double>(batch.n_atoms(s)) - 3.0;
  }
  return freedom > 0.0 ? twice / units::k_acceleration / freedom / units::k_boltzmann : 0.0;
}

}  // namespace tamiz
