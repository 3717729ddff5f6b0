#pragma once

#include "crystals.hpp"
#include "tamiz/core/structure/frame.hpp"

namespace tamiz::test_support {

/// A shaken crystal of 1 to 9 atoms with some of the labels; which, follows from its number.
inline Frame labelled_frame(std::uint64_t number, Philox& random) {
  const Structure crystal = number % 3 == 0 ? calcium_zinc_nitride() : number % 3 == 1 ? diamond() : perovskite();
  Frame frame{rattled(crystal, 0.1, random), {}, {}, {}};
  if (number % 4 != 0) frame.labels.energy = random.normal();
  if (number % 4 == 1) frame.labels.free_energy = random.normal();
  if (number % 4 >= 2) frame.labels.forces = rattled(crystal, 1.0, random).positions();
  if (number % 4 == 3) frame.labels.stress = Mat3::Constant(random.normal());
  return frame;
}

}  // namespace tamiz::test_support
