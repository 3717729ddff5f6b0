#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tamiz/screening/campaign/candidate.hpp"

namespace tamiz {

struct ProposeOptions {
  std::vector<std::string> systems;     ///< "Ca-Mg-N"
  std::vector<std::string> prototypes;  ///< empty: all
  int max_atoms = 8;                    ///< primitive cell
  int random_per_formula = 4;           ///< random symmetric crystals for each composition
  std::vector<std::string> random_formulas;  ///< empty: the charge-balanced compositions within max_atoms
  int max_candidates = 400;
  std::uint64_t seed = 1;
};

struct Rejection {
  std::string what;    ///< prototype and decoration
  std::string reason;  ///< "charge", "overlap", "duplicate of c0003", "too many atoms"
};

struct Proposal {
  std::vector<Candidate> candidates;
  std::vector<Rejection> rejections;
};

/// Decorates prototypes with the elements of each system and adds random symmetric crystals; keeps what
/// is charge-balanced, has no overlaps and is not a duplicate. Deterministic in `seed`.
/// Throws FormatError for an unknown prototype (nearest name suggested), SpeciesError for an element.
Proposal propose(const ProposeOptions& options);

/// Names of the shipped prototypes.
std::vector<std::string> prototype_names();

}  // namespace tamiz
