#pragma once

#include <array>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tamiz/core/structure/structure.hpp"
#include "tamiz/potentials/engine/trainer.hpp"
#include "tamiz/screening/campaign/candidate.hpp"
#include "tamiz/screening/campaign/competing.hpp"
#include "tamiz/screening/campaign/hulls.hpp"
#include "tamiz/screening/oracle/oracle.hpp"
#include "tamiz/screening/propose/propose.hpp"

/// What the stages of a campaign write to the ledger, and read back on a resume. Each stage is one
/// record, so that it is in the ledger as a whole or not at all.
namespace tamiz {

/// A candidate after relaxation with the model of one round.
struct RelaxedCandidate {
  std::string candidate;
  std::string outcome;        ///< "relaxed", "duplicate" or "failed"
  std::string reason;         ///< "duplicate of c0003", "collapsed: ..."
  int steps = 0;
  Structure structure;        ///< relaxed; the last geometry where it failed
  int space_group_number = 1;
  std::string space_group = "P1";
  ModelEnergy energy;         ///< [eV/atom]
  ModelAssessment assessment; ///< where outcome is not "failed"
};

/// Relaxation and assessment of everything with one model.
struct RoundPrediction {
  int round = 0;
  std::string model_hash;
  std::vector<RelaxedCandidate> candidates;  ///< ordered by candidate id
  std::vector<ModelEnergy> competing;        ///< of each phase on the hulls: the known ones, then what was confirmed by then
};

/// One label that a round asks for.
struct LabelChoice {
  std::string candidate;
  LabelTask task = LabelTask::relax;
  std::string why;        ///< "probability 0.71 of E_hull < 50 meV/atom"
  double score = 0.0;
  double predicted = 0.0; ///< E_hull by the model [eV/atom]
  double sigma = 0.0;
};

/// A label that came back.
struct LabelRecord {
  int round = 0;
  std::string candidate;
  LabelTask task = LabelTask::relax;
  LabelResult result;
};

/// What training did in a round.
struct LearnRecord {
  int round = 0;
  int steps = 0;
  std::size_t n_frames = 0;
  int n_held_out = 0;           ///< labels that no training sees
  ErrorSummary before, after;   ///< on these
  bool adopted = false;
  std::string reason;
  std::string model_hash;       ///< of the model that goes on
  std::string model_file;       ///< relative to the run folder
};

/// What the last model says of the vibrations of a ranked candidate.
struct VibrationRecord {
  std::string candidate;
  std::string reason;                 ///< why they were not calculated; empty where they were
  double lowest = 0.0;                ///< frequency, imaginary ones negative [THz]
  Vec3 wave_vector = Vec3::Zero();    ///< of the lowest mode, in units of the reciprocal lattice vectors
  std::array<int, 3> copies{1, 1, 1}; ///< of the cell in the supercell
  double tolerance = 0.0;             ///< imaginary frequencies up to here do not count [THz]
  bool stable = false;                ///< no imaginary frequency beyond the tolerance
};

/// What a campaign starts from, so that what it says later does not depend on files that may change.
struct CampaignStart {
  std::string config_text;      ///< the campaign file, verbatim
  std::string version;          ///< of the program
  std::string settings;         ///< of the DFT level, canonical JSON
  std::string model_hash;       ///< of the starting model
  std::string model;            ///< what the report says of it, canonical JSON
  std::string training_hash;    ///< of the labels it was trained on
  CompetingSet competing;
};

nlohmann::json to_json(const CompetingSet& competing);
CompetingSet competing_from_json(const nlohmann::json& json);
nlohmann::json to_json(const CampaignStart& start);
CampaignStart start_from_json(const nlohmann::json& json);
nlohmann::json to_json(const Candidate& candidate);
Candidate candidate_from_json(const nlohmann::json& json);
nlohmann::json to_json(const RoundPrediction& prediction);
nlohmann::json to_json(const LabelChoice& choice);
LabelChoice choice_from_json(const nlohmann::json& json);
nlohmann::json to_json(const LabelRecord& record);
LabelRecord label_record_from_json(const nlohmann::json& json);
nlohmann::json to_json(const LearnRecord& record);
LearnRecord learn_record_from_json(const nlohmann::json& json);

nlohmann::json to_json(const VibrationRecord& record);
VibrationRecord vibration_record_from_json(const nlohmann::json& json);

/// The ledger of a campaign, read into types.
struct CampaignHistory {
  std::optional<CampaignStart> start;                 ///< missing where nothing was begun
  std::optional<std::vector<Candidate>> candidates;
  std::vector<Rejection> rejections;
  std::vector<RoundPrediction> predictions;           ///< one per round that was assessed
  std::vector<std::vector<LabelChoice>> decisions;    ///< one per round that was decided
  std::vector<LabelRecord> labels;                    ///< in the order of arrival
  std::vector<LearnRecord> learned;                   ///< one per round that was trained
  std::vector<VibrationRecord> vibrations;            ///< of the first in the ranking
  double interrupted_cost = 0.0;                      ///< core-seconds of labels that a kill cut off
  bool finished = false;

  /// Throws FormatError for a ledger without a campaign, or with records of another version.
  static CampaignHistory from_records(const std::vector<nlohmann::json>& records);
  /// The finished or failed label of a candidate's task, latest round; null when there is none.
  const LabelRecord* label_of(const std::string& candidate, LabelTask task) const;
};

}  // namespace tamiz
