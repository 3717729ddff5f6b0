#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tamiz/core/analysis/phonons.hpp"
#include "tamiz/core/simulation/relax.hpp"
#include "tamiz/potentials/engine/trainer.hpp"
#include "tamiz/screening/propose/propose.hpp"

namespace tamiz {

struct DecideOptions {
  int rounds = 2;            ///< decide, label, train; at least 1
  int labels_per_round = 6;  ///< budget of one round; failed labels count
  int explore = 2;           ///< of these, single points where the committee disagrees most
  double window = 0.05;      ///< a discovery is E_hull below this [eV/atom]
  int max_per_composition = 2;  ///< labels of one reduced composition in one round
};

struct LabelOptions {
  /// "gpaw", "ase:module:callable", "replay:LEDGER", "replay-names:LEDGER" (a ledger, or a folder of them), or a command
  /// that speaks the worker protocol.
  std::string oracle = "gpaw";
  std::string level = "pbe-600g";
  int workers = 0;           ///< 0: one per core that the machine grants
  int relax_steps = 0;       ///< DFT steps of one relaxation, at most, on each of its meshes; 0: as many as the level allows
  double timeout = 3600.0;   ///< CPU time of one label [core-seconds], against calculations that hang
  int gaps = 2;              ///< band gaps of the best DFT-confirmed candidates
};

struct LearnOptions {
  int steps = 2000;          ///< optimiser steps of one round
  double learning_rate = 0.0005;
  int batch_size = 8;
  double share = 0.3;        ///< of the frames that training draws, at least so many are the campaign's own
  double held_out = 0.25;    ///< share of a campaign's labels that no training sees
  int min_held_out = 4;      ///< with fewer, a new model must be better on the first test labels, too
};

struct PhononOptions {
  int candidates = 20;       ///< the first of the ranking whose vibrations the model is asked for; 0: none
  double length = k_phonon_length;  ///< least distance between opposite faces of a supercell [Å]
  double tolerance = k_phonon_tolerance;  ///< imaginary frequencies up to here do not count as unstable [THz]
};

/// Everything that fixes a campaign; read from campaign.toml.
struct CampaignConfig {
  std::string name;
  std::string question;
  std::uint64_t seed = 1;
  std::vector<std::string> systems;
  std::filesystem::path model;       ///< starting model, relative to the data folder
  std::filesystem::path competing;   ///< ledger of the competing phases, relative to the data folder
  std::vector<std::string> training;  ///< labels the starting model was trained on (`first_labels.hpp`), relative to the data folder
  ProposeOptions propose;
  RelaxOptions relax;
  DecideOptions decide;
  LabelOptions label;
  LearnOptions learn;
  PhononOptions phonons;
  std::string text;                  ///< the file, verbatim

  /// Throws FormatError (unknown key, wrong type, value out of range: names file, line and key and the
  /// nearest known key), SpeciesError, FileError.
  static CampaignConfig read(const std::filesystem::path& path);
  /// The same of a text that was read before: `name` stands for the file in messages. What the data folder
  /// holds is not looked at, so that an old campaign stays readable.
  static CampaignConfig parse(const std::string& text, const std::string& name);

  /// `training`, in the data folder.
  std::vector<std::filesystem::path> training_files() const;
};

}  // namespace tamiz
