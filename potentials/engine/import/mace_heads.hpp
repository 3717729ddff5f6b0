#pragma once

#include <string>
#include <vector>

#include "tamiz/potentials/engine/import/record.hpp"

namespace tamiz::importer {

/// Read-outs of one model on shared features, each for a level of theory.
struct Heads {
  std::vector<std::string> names;  ///< in the order of their columns
  std::size_t chosen = 0;

  const std::string& name() const { return names[chosen]; }
  std::size_t size() const { return names.size(); }
};

/// The heads of a MACE model. Without `wanted` the only one is chosen, else the one named "default" in any case, as
/// mace-torch does. Throws CapabilityError, which lists them, when there is no such head or no choice.
Heads choose_head(const Record& model, const std::string& wanted);

}  // namespace tamiz::importer
