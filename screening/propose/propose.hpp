#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tamiz/screening/campaign/candidate.hpp"
#include "tamiz/screening/propose/oxidation.hpp"

namespace tamiz {

struct ProposeOptions {
  std::vector<std::string> systems;     ///< "Ca-Mg-N": every element of a system is used
  std::vector<std::string> prototypes;  ///< names or aliases; empty: all
  std::vector<std::filesystem::path> files;  ///< structures of the user's own, candidates before all others
  bool only_files = false;              ///< no prototypes, orderings and random crystals
  int max_atoms = 8;                    ///< primitive cell, 1 to 64
  int orderings_per_parent = 6;         ///< ordered superstructures for each parent prototype and formula, 0: none
  int random_per_formula = 12;          ///< random symmetric crystals for each formula, 0: none
  std::vector<std::string> random_formulas;  ///< of orderings, too; empty: the charge-balanced compositions within max_atoms
  int min_candidates = 0;               ///< more random crystals than `random_per_formula` are drawn until there are so many
  int max_candidates = 400;
  bool share_elements = false;          ///< two labels of a prototype may carry the same element
  OxidationRules oxidation;
  std::uint64_t seed = 1;
};

struct Rejection {
  std::string what;    ///< prototype and decoration
  std::string reason;  ///< "charge", "overlap", "duplicate of c0003", "too many atoms", ... with numbers
};

struct Proposal {
  std::vector<Candidate> candidates;
  std::vector<Rejection> rejections;
};

/// Takes the structures of files, whose elements must be those of a system, decorates prototypes with the elements of each
/// system, adds ordered superstructures of the simple
/// prototypes and random symmetric crystals; keeps what is charge-balanced (files: any), within `max_atoms`, has no
/// overlaps and is no duplicate. Candidates are numbered in the order files, prototypes, orderings, random
/// crystals; the random ones of all formulas take turns, so that `max_candidates` cuts them evenly.
/// Deterministic in `seed`.
/// Throws FileError for a file that cannot be read, FormatError for what is in it, an unknown prototype (nearest name suggested), a system or formula that cannot
/// be read; SpeciesError for an unknown element; UnitError for a number outside its range.
Proposal propose(const ProposeOptions& options);

/// Names of the shipped prototypes, in the order of the file.
std::vector<std::string> prototype_names();

}  // namespace tamiz
