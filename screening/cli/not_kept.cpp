#include "tamiz/screening/cli/held_atoms.hpp"

#include "tamiz/core/base/log.hpp"

namespace tamiz::cli {

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
