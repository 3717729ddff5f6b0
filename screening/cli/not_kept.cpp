#include "tamiz/screening/cli/not_kept.hpp"

#include <fmt/format.h>

#include <cmath>

#include "tamiz/core/base/log.hpp"

namespace tamiz::cli {

constexpr double k_same_mass = 1e-3;  // relative; tables of standard masses agree better, isotopes differ by more

void warn_of_masses(const Frame& frame) {
  const auto found = frame.arrays.find("masses");
  if (found == frame.arrays.end() || found->second.cols() != 1) return;
  for (std::size_t atom = 0; atom < frame.structure.size(); ++atom) {
    const double mass = frame.structure.species()[atom].mass(), given = found->second(static_cast<Eigen::Index>(atom), 0);
    if (std::abs(given - mass) < k_same_mass * mass) continue;
    log::warning(fmt::format("masses are not kept to: {} has {:.4g} u and not {:.4g}", frame.structure.species()[atom].symbol(), mass, given));
    return;
  }
}

void warn_of_held_atoms(std::span<const Frame> frames) {
  for (const Frame& frame : frames)
    for (const char* name : {"selective", "move_mask"}) {
      const auto found = frame.arrays.find(name);
      if (found == frame.arrays.end() || !(found->second.array() < 1.0).any()) continue;
      log::warning(std::string(name) + " is not kept to: all atoms move");
      return;
    }
}

}  // namespace tamiz::cli
