// Relaxes face-centred cubic argon, positions and cell, with the shipped Lennard-Jones potential; prints the lattice
// constant [Å] and the energy [eV/atom].
#include <cmath>
#include <cstdio>
#include <exception>
#include <memory>
#include <span>

#include "tamiz/core/base/files.hpp"
#include "tamiz/core/simulation/relax.hpp"
#include "tamiz/potentials/engine/load.hpp"

int main() {
  try {
    const std::unique_ptr<tamiz::Potential> potential =
        tamiz::load_potential(tamiz::data_directory() / "potentials" / "lennard-jones-ar.toml");

    tamiz::Mat3 cell;
    cell << 0.0, 2.7, 2.7, 2.7, 0.0, 2.7, 2.7, 2.7, 0.0;
    const tamiz::Structure start(tamiz::Lattice(cell), tamiz::k_periodic, {tamiz::Element::from_symbol("Ar")},
                                 tamiz::Cartesian{tamiz::Coordinates::Zero(1, 3)});

    tamiz::RelaxOptions options;
    options.fmax = 1e-6;
    options.smax = 1e-9;
    const tamiz::RelaxResult result = tamiz::relax(*potential, std::span(&start, 1), options).front();
    if (result.status != tamiz::RelaxStatus::converged) {
      std::fprintf(stderr, "not converged: %s\n", result.reason.c_str());
      return 1;
    }
    // A primitive cell holds a quarter of the cube.
    std::printf("%.8f %.8f\n", std::cbrt(4.0 * result.structure.lattice().volume()), result.energy);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
