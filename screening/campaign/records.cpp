#include "tamiz/screening/campaign/records.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/version.hpp"
#include "tamiz/potentials/engine/training/errors_json.hpp"
#include "tamiz/screening/oracle/label_json.hpp"

namespace tamiz {
namespace {

using nlohmann::json;

json energy_json(const ModelEnergy& energy) { return {{"mean", energy.mean}, {"members", energy.members}}; }

ModelEnergy energy_from(const json& value) {
  return {value.at("mean").get<double>(), value.at("members").get<std::vector<double>>()};
}

json assessment_json(const ModelAssessment& assessment) {
  return {{"formation_energy", assessment.formation_energy},
          {"e_hull", assessment.e_hull},
          {"sigma", assessment.sigma},
          {"members", assessment.members}};
}

ModelAssessment assessment_from(const json& value) {
  return {value.at("formation_energy").get<double>(), value.at("e_hull").get<double>(),
          value.at("sigma").get<double>(), value.at("members").get<std::vector<double>>()};
}

json relaxed_json(const RelaxedCandidate& candidate) {
  json value{{"candidate", candidate.candidate}, {"outcome", candidate.outcome}, {"steps", candidate.steps}};
  if (!candidate.reason.empty()) value["reason"] = candidate.reason;
  if (candidate.outcome == "failed") return value;  // its last geometry may not be finite
  value["structure"] = structure_to_json(candidate.structure);
  value["space_group"] = {{"number", candidate.space_group_number}, {"symbol", candidate.space_group}};
  value["energy"] = energy_json(candidate.energy);
  value["assessment"] = assessment_json(candidate.assessment);
  return value;
}

/// `proposal` stands in for the geometry of a candidate that failed.
RelaxedCandidate relaxed_from(const json& value, const Structure& proposal) {
  const bool failed = value.at("outcome") == "failed";
  RelaxedCandidate candidate{.candidate = value.at("candidate"),
                             .outcome = value.at("outcome"),
                             .reason = value.value("reason", ""),
                             .steps = value.at("steps"),
                             .structure = failed ? proposal : structure_from_json(value.at("structure")),
                             .space_group_number = 1,
                             .space_group = "P1",
                             .energy = {},
                             .assessment = {}};
  if (failed) return candidate;
  candidate.space_group_number = value.at("space_group").at("number");
  candidate.space_group = value.at("space_group").at("symbol");
  candidate.energy = energy_from(value.at("energy"));
  candidate.assessment = assessment_from(value.at("assessment"));
  return candidate;
}

}  // namespace

json to_json(const CompetingSet& competing) {
  json phases = json::array();
  for (const CompetingPhase& phase : competing.phases) {
    json& value = phases.emplace_back(json{{"id", phase.id},
                                           {"name", phase.name},
                                           {"source", phase.source},
                                           {"structure", structure_to_json(phase.structure)},
                                           {"energy_per_atom", phase.energy_per_atom}});
    if (phase.gap) value["gap"] = *phase.gap;
  }
  json reported = json::array();
  for (const ReportedPhase& phase : competing.reported)
    reported.push_back({{"id", phase.id},
                        {"name", phase.name},
                        {"source", phase.source},
                        {"formula", phase.composition.formula()},
                        {"space_group", phase.space_group}});
  return {{"phases", phases}, {"missing", competing.missing}, {"reported", reported}};
}

CompetingSet competing_from_json(const json& value) {
  CompetingSet competing;
  for (const json& phase : value.at("phases"))
    competing.phases.push_back({phase.at("id"), phase.at("name"), phase.at("source"),
                                structure_from_json(phase.at("structure")), phase.at("energy_per_atom"),
                                phase.contains("gap") ? std::optional(phase.at("gap").get<double>()) : std::nullopt});
  competing.missing = value.at("missing").get<std::map<std::string, std::vector<std::string>>>();
  for (const json& phase : value.at("reported"))
    competing.reported.push_back({phase.at("id"), phase.at("name"), phase.at("source"),
                                  Composition::from_formula(phase.at("formula").get<std::string>()), phase.at("space_group")});
  return competing;
}

json to_json(const CampaignStart& start) {
  return {{"kind", "campaign"},
          {"config", start.config_text},
          {"version", start.version},
          {"commit", commit()},
          {"level", json::parse(start.settings)},
          {"model", json::parse(start.model)},
          {"model_hash", start.model_hash},
          {"training_hash", start.training_hash},
          {"competing", to_json(start.competing)}};
}

CampaignStart start_from_json(const json& value) {
  for (const char* member : {"competing", "training_hash"})
    if (!value.contains(member))
      throw FormatError(std::string("the ledger of this campaign was written by an earlier version of tamiz, without ") + member +
                        ": run the campaign again in another folder");
  return {value.at("config"),     value.at("version"),       value.at("level").dump(),
          value.at("model_hash"), value.at("model").dump(),  value.at("training_hash"),
          competing_from_json(value.at("competing"))};
}

json to_json(const Candidate& candidate) {
  return {{"id", candidate.id},
          {"structure", structure_to_json(candidate.structure)},
          {"origin", candidate.origin},
          {"prototype", candidate.prototype},
          {"decoration", candidate.decoration},
          {"oxidation", candidate.oxidation}};
}

Candidate candidate_from_json(const json& value) {
  return {value.at("id"),        structure_from_json(value.at("structure")),
          value.at("origin"),    value.at("prototype"),
          value.at("decoration"), value.at("oxidation")};
}

json to_json(const RoundPrediction& prediction) {
  json value{{"kind", "assessed"}, {"round", prediction.round}, {"model_hash", prediction.model_hash}};
  value["candidates"] = json::array();
  for (const RelaxedCandidate& candidate : prediction.candidates) value["candidates"].push_back(relaxed_json(candidate));
  value["competing"] = json::array();
  for (const ModelEnergy& energy : prediction.competing) value["competing"].push_back(energy_json(energy));
  return value;
}

json to_json(const LabelChoice& choice) {
  return {{"candidate", choice.candidate}, {"task", to_string(choice.task)}, {"why", choice.why},
          {"score", choice.score},         {"predicted", choice.predicted},  {"sigma", choice.sigma}};
}

LabelChoice choice_from_json(const json& value) {
  return {value.at("candidate"),
          label_task_from(value.at("task").get<std::string>()),
          value.at("why"),
          value.at("score"),
          value.at("predicted"),
          value.at("sigma")};
}

json to_json(const LabelRecord& record) {
  json value = label_result_to_json(record.result);
  value["kind"] = "label";
  value["round"] = record.round;
  value["candidate"] = record.candidate;
  value["task"] = to_string(record.task);
  return value;
}

LabelRecord label_record_from_json(const json& value) {
  return {value.at("round"), value.at("candidate"), label_task_from(value.at("task").get<std::string>()),
          label_result_from_json(value)};
}

json to_json(const LearnRecord& record) {
  return {{"kind", "trained"},         {"round", record.round},
          {"steps", record.steps},     {"n_frames", record.n_frames},
          {"n_held_out", record.n_held_out},
          {"before", json::parse(json_text(record.before))}, {"after", json::parse(json_text(record.after))},
          {"adopted", record.adopted}, {"reason", record.reason},
          {"model_hash", record.model_hash}, {"model_file", record.model_file}};
}

LearnRecord learn_record_from_json(const json& value) {
  return {value.at("round"),   value.at("steps"),      value.at("n_frames"), value.at("n_held_out"),
          error_summary_from_json(value.at("before").dump()), error_summary_from_json(value.at("after").dump()), value.at("adopted"), value.at("reason"), value.at("model_hash"),
          value.at("model_file")};
}

json to_json(const VibrationRecord& record) {
  json value{{"candidate", record.candidate}};
  if (!record.reason.empty()) {
    value["reason"] = record.reason;
    return value;
  }
  // JSON has no infinity, which a lone atom has.
  value["lowest"] = std::isfinite(record.lowest) ? json(record.lowest) : json(nullptr);
  value["wave_vector"] = {record.wave_vector[0], record.wave_vector[1], record.wave_vector[2]};
  value["copies"] = record.copies;
  value["tolerance"] = record.tolerance;
  value["stable"] = record.stable;
  return value;
}

VibrationRecord vibration_record_from_json(const json& value) {
  VibrationRecord record;
  record.candidate = value.at("candidate");
  record.reason = value.value("reason", "");
  if (!record.reason.empty()) return record;
  const json& lowest = value.at("lowest");
  record.lowest = lowest.is_null() ? std::numeric_limits<double>::infinity() : lowest.get<double>();
  const auto point = value.at("wave_vector").get<std::array<double, 3>>();
  record.wave_vector = Vec3(point[0], point[1], point[2]);
  record.copies = value.at("copies");
  record.tolerance = value.at("tolerance");
  record.stable = value.at("stable");
  return record;
}

namespace {

RoundPrediction prediction_from(const json& value, const std::vector<Candidate>& proposals) {
  RoundPrediction prediction{.round = value.at("round"), .model_hash = value.at("model_hash"), .candidates = {},
                             .competing = {}};
  const json& candidates = value.at("candidates");
  if (candidates.size() != proposals.size())
    throw FormatError("the ledger assesses another number of candidates than it proposes");
  for (std::size_t k = 0; k < candidates.size(); ++k)
    prediction.candidates.push_back(relaxed_from(candidates[k], proposals[k].structure));
  for (const json& energy : value.at("competing")) prediction.competing.push_back(energy_from(energy));
  return prediction;
}

/// Costs of labels that were started and noted, but have not come back: cut off, or still running.
double cost_of_interrupted(const std::vector<json>& records) {
  std::map<std::string, double> open;
  double lost = 0.0;
  for (const json& record : records) {
    const std::string kind = record.at("kind");
    if (kind == "label_started") {
      const auto found = open.find(record.at("id"));
      if (found != open.end()) lost += found->second;  // started again: the first try was cut off
      open[record.at("id")] = 0.0;
    } else if (kind == "label_progress") {
      open[record.at("id")] = record.at("cost");
    } else if (kind == "label") {
      const auto found = open.find(record.at("id"));
      if (found == open.end()) continue;
      if (record.value("cached", false)) lost += found->second;  // answered by another label: this one stayed cut off
      open.erase(found);
    }
  }
  for (const auto& [id, cost] : open) lost += cost;
  return lost;
}

void add_record(CampaignHistory& history, const json& record) {
  const std::string kind = record.at("kind");
  if (kind == "campaign") {
    history.start = start_from_json(record);
  } else if (!history.start) {
    throw FormatError("the ledger holds no campaign: expected a record campaign first, got " + kind);
  } else if (kind == "proposed") {
    history.candidates.emplace();
    for (const json& value : record.at("candidates")) history.candidates->push_back(candidate_from_json(value));
    for (const json& value : record.value("rejections", json::array()))
      history.rejections.push_back({value.at("what"), value.at("reason")});
  } else if (kind == "assessed") {
    history.predictions.push_back(prediction_from(record, history.candidates.value()));
  } else if (kind == "decision") {
    auto& choices = history.decisions.emplace_back();
    for (const json& value : record.at("choices")) choices.push_back(choice_from_json(value));
  } else if (kind == "label") {
    history.labels.push_back(label_record_from_json(record));
  } else if (kind == "trained") {
    history.learned.push_back(learn_record_from_json(record));
  } else if (kind == "vibrations") {
    history.vibrations.push_back(vibration_record_from_json(record));
  } else if (kind == "finished") {
    history.finished = true;
  }
}

}  // namespace

CampaignHistory CampaignHistory::from_records(const std::vector<json>& records) {
  CampaignHistory history;
  for (std::size_t k = 0; k < records.size(); ++k) {
    try {
      add_record(history, records[k]);
    } catch (const json::exception& error) {
      throw FormatError("record " + std::to_string(k + 1) + " (" + records[k].at("kind").get<std::string>() +
                        ") of the ledger is not as this version of tamiz writes it: " + error.what());
    }
  }
  history.interrupted_cost = cost_of_interrupted(records);
  return history;
}

const LabelRecord* CampaignHistory::label_of(const std::string& candidate, LabelTask task) const {
  const LabelRecord* latest = nullptr;
  for (const LabelRecord& label : labels)
    if (label.candidate == candidate && label.task == task && (latest == nullptr || label.round >= latest->round))
      latest = &label;
  return latest;
}

}  // namespace tamiz
