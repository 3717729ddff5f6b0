#pragma once

#include <string>

#include "tamiz/core/structure/structure.hpp"

namespace tamiz {

/// Within which a relaxed crystal has a symmetry: what relaxations by a float32 model leave behind is less [Å].
inline constexpr double k_symmetry_tolerance = 0.02;

/// A proposed crystal and where it came from.
struct Candidate {
  std::string id;         ///< "c0001": order of proposal, the order of every later decision
  Structure structure;
  std::string origin;     ///< "file", "prototype", "ordering" (superstructure of a simple prototype) or "random"
  std::string prototype;  ///< name of the prototype or file, or the space group symbol of a random crystal
  std::string decoration; ///< "A=Ca,B=Mg,X=N"; of a file the `id` of the structure there, or its place
  std::string oxidation;  ///< "Ca+2 Mg+2 N-3"
};

}  // namespace tamiz
