#include "tamiz/screening/campaign/summary_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "tamiz/potentials/engine/training/errors_json.hpp"
#include "tamiz/screening/campaign/confirmed.hpp"
#include "tamiz/screening/campaign/correction.hpp"

namespace tamiz {
namespace {

using nlohmann::json;

const RelaxedCandidate* find_candidate(const RoundPrediction& prediction, const std::string& id) {
  const auto found = std::find_if(prediction.candidates.begin(), prediction.candidates.end(),
                                  [&](const RelaxedCandidate& candidate) { return candidate.candidate == id; });
  return found == prediction.candidates.end() ? nullptr : &*found;
}

/// The hull of DFT energies on which predictions of a round stand beside DFT: of the phases that the model's hulls had.
DftHull hull_of_round(const CampaignHistory& history, int round) {
  if (history.predictions.empty()) return DftHull(hull_phases(history.start->competing.phases));
  const std::size_t last = history.predictions.size() - 1;
  return DftHull(hull_phases(phases_behind(history.predictions[std::min(static_cast<std::size_t>(round), last)], history)));
}

/// E_hull by DFT of a label.
std::optional<double> dft_e_hull(const LabelRecord& label, const DftHull& hull) {
  if (label.result.status != LabelStatus::finished || label.task == LabelTask::gap) return std::nullopt;
  const Frame& frame = *label.result.frame;
  const double energy = *frame.labels.energy / static_cast<double>(frame.structure.size());
  return hull.hull().decompose(frame.structure.composition(), energy).energy_above_hull;
}

json label_json(const LabelRecord& label, const CampaignHistory& history, const DftHull& hull) {
  json entry{{"candidate", label.candidate},
             {"task", to_string(label.task)},
             {"status", to_string(label.result.status)},
             {"cost", label.result.cost},
             {"cached", label.result.cached}};
  if (!label.result.reason.empty()) entry["reason"] = label.result.reason;
  for (const Candidate& candidate : *history.candidates)
    if (candidate.id == label.candidate) entry["formula"] = candidate.structure.composition().reduced().formula();
  if (label.round < static_cast<int>(history.decisions.size())) {
    for (const LabelChoice& choice : history.decisions[static_cast<std::size_t>(label.round)]) {
      if (choice.candidate != label.candidate || choice.task != label.task) continue;
      entry["why"] = choice.why;
      entry["predicted"] = choice.predicted;
      entry["sigma"] = choice.sigma;
    }
  } else {
    entry["why"] = "band gap of a confirmed candidate";
  }
  if (const auto energy = dft_e_hull(label, hull)) entry["dft"] = *energy;
  return entry;
}

json training_json(const LearnRecord& record) {
  json value = {{"steps", record.steps}, {"n_frames", record.n_frames}, {"n_held_out", record.n_held_out},
                {"adopted", record.adopted}, {"reason", record.reason}};
  // Without frames to train on or to judge on there are no errors.
  if (record.before.n_frames > 0) value["held_out_before"] = json::parse(json_text(record.before));
  if (record.after.n_frames > 0) value["held_out_after"] = json::parse(json_text(record.after));
  return value;
}

}  // namespace

json rounds_json(const CampaignHistory& history) {
  int n_rounds = static_cast<int>(history.decisions.size());
  for (const LabelRecord& label : history.labels) n_rounds = std::max(n_rounds, label.round + 1);
  json rounds = json::array();
  for (int round = 0; round < n_rounds; ++round) {
    std::vector<const LabelRecord*> labels;
    for (const LabelRecord& label : history.labels)
      if (label.round == round) labels.push_back(&label);
    std::sort(labels.begin(), labels.end(),
              [](const LabelRecord* a, const LabelRecord* b) { return a->candidate < b->candidate; });
    const DftHull hull = hull_of_round(history, round);
    json entry{{"round", round}, {"labels", json::array()}};
    double cost = 0.0;
    for (const LabelRecord* label : labels) {
      entry["labels"].push_back(label_json(*label, history, hull));
      cost += label->result.cost;
    }
    entry["cost"] = cost;
    for (const LearnRecord& record : history.learned)
      if (record.round == round) entry["training"] = training_json(record);
    rounds.push_back(std::move(entry));
  }
  return rounds;
}

json parity_json(const CampaignHistory& history) {
  std::map<int, DftHull> hulls;
  json points = json::array();
  for (const LabelRecord& label : history.labels) {
    if (!hulls.contains(label.round)) hulls.emplace(label.round, hull_of_round(history, label.round));
    const auto dft = dft_e_hull(label, hulls.at(label.round));
    if (!dft || label.round >= static_cast<int>(history.predictions.size())) continue;
    const RelaxedCandidate* model = find_candidate(history.predictions[static_cast<std::size_t>(label.round)], label.candidate);
    if (model == nullptr) continue;
    points.push_back({{"id", label.candidate},
                      {"formula", model->structure.composition().reduced().formula()},
                      {"round", label.round},
                      {"model", model->assessment.e_hull},
                      {"sigma", model->assessment.sigma},
                      {"dft", *dft}});
  }
  return points;
}

json cost_json(const CampaignHistory& history) {
  double labels = 0.0, failed = 0.0;
  int n_failed = 0, n_cached = 0, n_timed_out = 0;
  for (const LabelRecord& label : history.labels) {
    labels += label.result.cost;
    n_cached += label.result.cached;
    if (label.result.status == LabelStatus::finished) continue;
    failed += label.result.cost;
    ++n_failed;
    n_timed_out += label.result.status == LabelStatus::timed_out;
  }
  return {{"labels", labels},     {"failed", failed},     {"interrupted", history.interrupted_cost},
          {"n_labels", history.labels.size()}, {"n_failed", n_failed}, {"n_cached", n_cached},
          {"n_timed_out", n_timed_out}};
}

json corrections_json() {
  const AnionCorrection& correction = mp2020_correction();
  json per_element = json::object();
  for (const auto& [element, energy] : correction.per_atom) per_element[std::string(element.symbol())] = energy;
  return {{"name", correction.name},
          {"text", correction.source},
          {"per_element", per_element},
          {"n2_error_note",
           "PBE misplaces the energy of N2 and O2 against solids by some tenths of an eV per atom, so formation "
           "energies from the elements carry that error; decomposition into other nitrides hardly does. E_hull is "
           "given without correction, with the named correction, and as a range of nitrogen chemical potential."}};
}

json model_json(const std::string& name, const ModelFile& model) {
  const ModelDescription& description = model.description;
  std::vector<std::string> elements;
  for (const Element element : description.elements) elements.emplace_back(element.symbol());
  return {{"file", name},
          {"card", model.card.entries},
          {"description",
           {{"elements", elements}, {"cutoff [Å]", description.cutoff}, {"channels", description.channels},
            {"l_max", description.l_max}, {"hidden_l", description.hidden_l},
            {"correlation", description.correlation}, {"interactions", description.n_interactions},
            {"committee members", description.n_members}, {"uncertainty scale", description.uncertainty_scale}}}};
}

json last_model_json(const CampaignHistory& history, const std::filesystem::path& folder) {
  for (auto record = history.learned.rbegin(); record != history.learned.rend(); ++record)
    if (record->adopted) return model_json(record->model_file, ModelFile::read(folder / record->model_file));
  return json::parse(history.start->model);
}

json limits(const CampaignHistory& history) {
  const auto n_tested = std::ranges::count_if(history.vibrations, [](const VibrationRecord& record) { return record.reason.empty(); });
  const std::string dynamic =
      n_tested > 0
          ? fmt::format("The dynamic stability of {} candidates was tested with the model only: harmonic phonons in supercells, without DFT.", n_tested)
          : "Dynamic stability was not tested: a ranked structure may have imaginary phonon modes.";
  return {dynamic,
          "Temperature, entropy, defects, surfaces and kinetics of synthesis are not considered.",
          "Spin-orbit coupling and magnetism are not considered.",
          "PBE gaps are too small by about 40 %; GLLB-SC gaps are given where they were calculated.",
          "A candidate is new only against the list of known phases that is shipped, not against all literature.",
          "Only cells of the size that the campaign allows were searched; a lower structure may need more atoms."};
}

}  // namespace tamiz
