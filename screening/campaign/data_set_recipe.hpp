#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tamiz/core/io/data_set.hpp"

namespace tamiz {

/// Which ledgers a data set is made of, and which of its frames are trained on.
///
///     ledgers = ["hull.tz", "frames.tz"]   # relative to the recipe
///     smearing = 0.1                       # [eV] width that free energies are given at, E0 + (F − E0)(0.1/width)² of labels with another
///     [card]                               # texts
///     name = "nitrides"
///     licence = "CC-BY-4.0"
///     [split]
///     test_systems = ["Ca-Zn-N"]           # whole chemical systems
///     test_compositions = ["MgSiN2"]
///     validation = 0.1                     # share of the other compositions but elements and 1:1 compounds
///
///     [references]                         # [eV] added to the energies for every atom, so that they meet those of another level
///     Mg = -0.049
///
///     [weights]                            # in training, beside labels of other data sets; 1 where nothing is said
///     energy = 0.5                         # `config_energy_weight` of the frames; forces, stress
///     energy_of_metals = 0.1               # in place of it, of frames whose gap is 0
///     energy_of_metals_with = { N = 0.8 }  # in place of that, of those with an element; with several, the geometric mean
///
/// `as = "other.toml"` alone in [split], [references] or [weights] takes that of another recipe.
struct DataSetRecipe {
  struct Weights {
    double energy = 1.0, forces = 1.0, stress = 1.0, energy_of_metals = 1.0;
    std::map<Element, double> energy_of_metals_with;

    /// Of the energy of a metal.
    double of_metal(const Structure& structure) const;
  };

  std::vector<std::filesystem::path> ledgers;
  std::map<std::string, std::string> card;
  std::set<std::string> test_systems, test_compositions;  ///< as Composition writes them
  double validation = 0.1;
  std::map<Element, double> references;  ///< [eV]; empty, or with all elements of the frames
  Weights weights;
  std::optional<double> smearing;  ///< [eV]

  /// Throws FileError, FormatError.
  static DataSetRecipe read(const std::filesystem::path& path);

  /// "test", "validation" or "train"; all frames of a reduced composition go the same way.
  std::string split_of(const Structure& structure) const;
};

/// Every geometry of every label of the ledgers, each once. `info` of a frame says where it is from: "id", "task", "level",
/// "settings" (JSON), "oracle", "version", "commit" (of Tamiz), "split", "step" of a relaxation, of its end also "parents"
/// (the id of what was relaxed), "core_seconds" and what else the worker said ("mesh_used": a class of k-points); gaps that were calculated at the same
/// geometry are added; "free_energy_smearing" [eV] is the width that `smearing` moved its free energy to, "energy_moved" [eV] what `references` added to its energies, "config_energy_weight" and
/// its like what `weights` say where that is not 1. Labels that failed, also when they were asked for again, are among the failures with their "status" and "reason".
/// Throws FileError, FormatError (also for `smearing` where settings do not say their width), SpeciesError for an element that `references` lacks.
DataSet make_data_set(const DataSetRecipe& recipe);

}  // namespace tamiz
