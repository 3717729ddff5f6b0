#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tamiz/core/analysis/hull.hpp"
#include "tamiz/core/structure/composition.hpp"
#include "tamiz/core/structure/structure.hpp"

namespace tamiz {

/// A known phase, relaxed with DFT at one level.
struct CompetingPhase {
  std::string id;          ///< "competing/Mg3N2"
  std::string name;        ///< "anti-bixbyite Mg3N2"
  std::string source;      ///< who reported it
  Structure structure;     ///< relaxed with DFT
  double energy_per_atom;  ///< DFT at zero smearing [eV/atom]
  std::optional<double> gap;  ///< at the level's functional [eV]; not every code says one
};

/// A phase that was reported, but is not on the hull: metastable, of high pressure, doubtful.
struct ReportedPhase {
  std::string id, name, source;
  Composition composition;  ///< reduced
  int space_group = 0;      ///< 0: not known
};

/// Competing phases of some chemical systems.
struct CompetingSet {
  std::vector<CompetingPhase> phases;
  /// Known competitors without a DFT energy, per system; an empty list: the hull is complete.
  std::map<std::string, std::vector<std::string>> missing;
  std::vector<ReportedPhase> reported = {};  ///< known, too, though no competitors

  /// True for a system that was asked for, in any order of its elements, and lacks no competitor.
  bool complete(const std::string& system) const;
};

/// With their DFT energies, as a hull takes them.
std::vector<Phase> hull_phases(std::span<const CompetingPhase> phases);

/// Reads the list of known phases (datasets/known/known_phases.toml) and the ledger of DFT relaxations at
/// `level`; keeps what lies inside one of the `systems`. Phases of another role than competitor are `reported`. Throws FileError, and FormatError
/// for labels of a level of this name that had other `settings` (JSON).
CompetingSet read_competing(const std::filesystem::path& known_phases, const std::filesystem::path& ledger,
                            const std::string& level, const std::string& settings, std::span<const std::string> systems);

}  // namespace tamiz
