#include "tamiz/screening/campaign/summary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/base/units.hpp"
#include "tamiz/core/base/version.hpp"
#include "tamiz/core/structure/symmetry.hpp"
#include "tamiz/screening/campaign/config.hpp"
#include "tamiz/screening/campaign/correction.hpp"
#include "tamiz/screening/campaign/downloads.hpp"
#include "tamiz/screening/campaign/ranking.hpp"
#include "tamiz/screening/campaign/summary_model.hpp"
#include "tamiz/screening/oracle/label_json.hpp"

namespace tamiz {
namespace {

/// [eV/atom] Two relaxations of one phase end this close: a known phase found again lies on the hull. The page's own
/// count has the same.
constexpr double k_on_hull = 1e-3;

using nlohmann::json;

json group_json(int number, const std::string& symbol) { return {{"number", number}, {"symbol", symbol}}; }

json group_of(const Structure& structure) {
  try {
    const SpaceGroup group = space_group(structure, k_symmetry_tolerance);
    return group_json(group.number, group.symbol);
  } catch (const Error&) {
    return group_json(1, "P1");
  }
}

/// Rules that the campaign file gives in place of what is common.
json oxidation_json(const OxidationRules& rules) {
  json given = json::object();
  for (const auto& [element, states] : rules.given) given[std::string(element.symbol())] = states;
  return {{"anions", rules.anions == AnionRule::any ? "any" : "octet"}, {"given", given}};
}

json settings_json(const CampaignConfig& config) {
  return {{"campaign", {{"seed", config.seed}, {"model", config.model.string()}, {"competing", config.competing.string()},
                        {"training", joined(config.training)}, {"systems", config.systems}}},
          {"propose", {{"max_atoms", config.propose.max_atoms}, {"random_per_formula", config.propose.random_per_formula},
                       {"min_candidates", config.propose.min_candidates}, {"max_candidates", config.propose.max_candidates},
                       {"oxidation", oxidation_json(config.propose.oxidation)}, {"seed", config.propose.seed},
                       {"prototypes", config.propose.prototypes.empty() ? json("all") : json(config.propose.prototypes)}}},
          {"relax", {{"fmax [eV/Å]", config.relax.fmax}, {"smax [GPa]", config.relax.smax / units::k_gpa},
                     {"max_steps", config.relax.max_steps}, {"atoms_per_batch", config.relax.atoms_per_batch}}},
          {"decide", {{"rounds", config.decide.rounds}, {"labels_per_round", config.decide.labels_per_round},
                      {"explore", config.decide.explore}, {"window [eV/atom]", config.decide.window},
                      {"max_per_composition", config.decide.max_per_composition}}},
          {"label", {{"oracle", config.label.oracle}, {"level", config.label.level}, {"workers", config.label.workers},
                     {"relax_steps", config.label.relax_steps}, {"timeout [core-seconds]", config.label.timeout}, {"gaps", config.label.gaps}}},
          {"learn", {{"steps", config.learn.steps}, {"learning_rate", config.learn.learning_rate},
                     {"batch_size", config.learn.batch_size}, {"share", config.learn.share}, {"held_out", config.learn.held_out},
                     {"min_held_out", config.learn.min_held_out}}},
          {"phonons", {{"candidates", config.phonons.candidates}, {"length [Å]", config.phonons.length},
                       {"tolerance [THz]", config.phonons.tolerance}}}};
}

json systems_json(const CampaignConfig& config, const CompetingSet& competing) {
  json systems = json::array();
  for (const std::string& name : config.systems) {
    const auto found = competing.missing.find(name);
    const std::vector<std::string> missing = found == competing.missing.end() ? std::vector<std::string>{} : found->second;
    systems.push_back({{"name", name}, {"complete", competing.complete(name)}, {"missing", missing}});
  }
  return systems;
}

json competing_json(const CampaignHistory& history) {
  const CompetingSet& competing = history.start->competing;
  const DftHull hull(hull_phases(competing.phases));
  json list = json::array();
  for (std::size_t k = 0; k < competing.phases.size(); ++k) {
    const CompetingPhase& phase = competing.phases[k];
    const Composition composition = phase.structure.composition();
    const DftAssessment dft = hull.assess(composition, phase.energy_per_atom, {});
    json entry{{"id", phase.id},
               {"name", phase.name},
               {"formula", composition.reduced().formula()},
               {"space_group", group_of(phase.structure)},
               {"n_atoms", phase.structure.size()},
               {"energy", phase.energy_per_atom},
               {"formation_energy", dft.formation_energy},
               {"e_hull", dft.e_hull},
               {"on_hull", dft.e_hull <= k_on_hull},
               {"source", phase.source}};
    if (phase.gap) entry["gap"] = *phase.gap;
    if (!history.predictions.empty()) entry["energy_model"] = history.predictions.back().competing[k].mean;
    list.push_back(std::move(entry));
  }
  return list;
}

json dft_json(const RankedCandidate& entry, const std::map<std::string, std::string>& formulas) {
  const DftAssessment& dft = *entry.dft;
  json value{{"formation_energy", dft.formation_energy},
             {"e_hull", dft.e_hull},
             {"e_hull_corrected", dft.e_hull_corrected},
             {"correction_name", mp2020_correction().name},
             {"distance_below_others", dft.distance_below_others},
             {"energy", *entry.dft_energy},
             {"decomposition", json::array()}};
  for (const auto& [id, fraction] : dft.products) {
    const auto formula = formulas.find(id);
    value["decomposition"].push_back(
        {{"id", id}, {"formula", formula == formulas.end() ? id : formula->second}, {"fraction", fraction}});
  }
  if (entry.structure.composition().counts().contains(Element::from_symbol("N")))
    value["mu_n_range"] = dft.nitrogen.stable ? json{dft.nitrogen.low, dft.nitrogen.high} : json(nullptr);
  const json properties = entry.label != nullptr ? json::parse(entry.label->result.properties) : json::object();
  for (const char* key : {"fmax", "smax_gpa", "kpoints", "mesh"})
    if (properties.contains(key)) value[key] = properties[key];
  return value;
}

json gap_json(const RankedCandidate& entry, std::span<const CompetingPhase> known) {
  const LabelRecord* label = entry.gap != nullptr ? entry.gap : entry.label;
  if (entry.confidence == Confidence::known) {
    const auto phase = std::ranges::find(known, entry.known_as, &CompetingPhase::id);
    return phase->gap ? json{{"value", *phase->gap}, {"kind", *phase->gap > 0.0 ? "" : "metal"}} : json(nullptr);
  }
  if (label == nullptr) return nullptr;
  const json properties = json::parse(label->result.properties);
  if (!properties.contains("gap")) return nullptr;
  return {{"value", properties["gap"]},
          {"direct", properties.value("gap_direct", json(nullptr))},
          {"kind", properties.value("gap_kind", "")},
          {"level", properties.value("gap_level", "")}};
}

std::string_view stability_word(const VibrationRecord* vibrations) {
  if (vibrations == nullptr || !vibrations->reason.empty()) return "not tested";
  return vibrations->stable ? "stable" : "unstable";
}

/// What the model says of the vibrations of a cell of `n_atoms`.
json phonons_json(const VibrationRecord& vibrations, std::size_t n_atoms) {
  json value = to_json(vibrations);
  value.erase("candidate");
  value.erase("stable");
  if (!vibrations.reason.empty()) return value;
  const auto& [a, b, c] = vibrations.copies;
  value["n_atoms"] = static_cast<std::size_t>(a) * static_cast<std::size_t>(b) * static_cast<std::size_t>(c) * n_atoms;
  return value;
}

json candidate_json(const RankedCandidate& entry, const CompetingSet& competing,
                    const std::map<std::string, std::string>& formulas, const std::string& settings) {
  const Composition composition = entry.structure.composition();
  const ModelAssessment& model = entry.model->assessment;
  json value{{"id", entry.proposal->id},
             {"formula", composition.reduced().formula()},
             {"system", composition.system()},
             {"origin", entry.proposal->origin},
             {"prototype", entry.proposal->prototype},
             {"decoration", entry.proposal->decoration},
             {"oxidation", entry.proposal->oxidation},
             {"n_atoms", entry.structure.size()},
             {"outcome", entry.outcome},
             {"status", to_string(entry.confidence)},
             {"space_group_before", group_of(entry.proposal->structure)},
             {"dynamic_stability", stability_word(entry.vibrations)}};
  if (!entry.reason.empty()) value["reason"] = entry.reason;
  if (entry.outcome == "failed") return value;
  if (entry.vibrations != nullptr) value["phonons"] = phonons_json(*entry.vibrations, entry.structure.size());
  value["space_group_after"] = group_of(entry.structure);
  value["structure"] = structure_to_json(entry.structure);
  value["volume_per_atom"] = entry.structure.lattice().volume() / static_cast<double>(entry.structure.size());
  if (entry.model->outcome != "failed")
    value["model"] = {{"formation_energy", model.formation_energy},
                      {"e_hull", model.e_hull},
                      {"e_hull_std", model.sigma},
                      {"e_hull_members", model.members},
                      {"relax_steps", entry.model->steps}};
  if (entry.dft) value["dft"] = dft_json(entry, formulas);
  if (entry.failed != nullptr) value["dft_failed"] = entry.failed->result.reason;
  if (entry.rank > 0) {
    value["rank"] = entry.rank;
    value["cif"] = cif_text(entry.structure, entry.proposal->id);
    const std::string mesh = entry.dft ? value["dft"].value("mesh", "") : "";
    if (std::string input = gpaw_input(entry.structure, entry.proposal->id, settings, mesh); !input.empty())
      value["gpaw_input"] = std::move(input);
  }
  value["gap"] = gap_json(entry, competing.phases);
  if (entry.compared) value["known"] = nullptr;  // and not in the list, unless found below
  for (const CompetingPhase& phase : competing.phases)
    if (phase.id == entry.known_as) value["known"] = {{"name", phase.name}, {"source", phase.source}};
  for (const ReportedPhase& phase : competing.reported)
    if (phase.id == entry.known_as)
      value["known"] = {{"name", phase.name + " (same formula and space group)"}, {"source", phase.source}};
  return value;
}

std::size_t count_of(std::span<const RankedCandidate> ranked, auto&& predicate) {
  return static_cast<std::size_t>(std::count_if(ranked.begin(), ranked.end(), predicate));
}

json funnel_json(const CampaignHistory& history, std::span<const RankedCandidate> ranked) {
  const std::size_t distinct = history.candidates ? history.candidates->size() : 0;
  const auto is_ranked = [](const RankedCandidate& entry) { return entry.outcome == "ranked"; };
  const auto confirmed = [&](const RankedCandidate& entry) {
    return is_ranked(entry) && entry.confidence == Confidence::confirmed;
  };
  const auto labelled = [&](const RankedCandidate& entry) {
    return std::any_of(history.labels.begin(), history.labels.end(), [&](const LabelRecord& label) {
      return label.candidate == entry.proposal->id && label.task != LabelTask::gap && label.result.status == LabelStatus::finished;
    });
  };
  json funnel = json::array();
  const auto add = [&](const char* stage, std::size_t count) { funnel.push_back({{"stage", stage}, {"count", count}}); };
  add("proposed", distinct + history.rejections.size());
  add("distinct", distinct);
  add("relaxed", count_of(ranked, [](const RankedCandidate& entry) { return entry.model->outcome != "failed"; }));
  add("ranked", count_of(ranked, is_ranked));
  add("labelled", count_of(ranked, labelled));
  add("DFT-confirmed", count_of(ranked, confirmed));
  add("on the DFT hull",
      count_of(ranked, [&](const RankedCandidate& entry) { return confirmed(entry) && entry.dft->e_hull <= k_on_hull; }));
  return funnel;
}

}  // namespace

json summarize(const CampaignHistory& history, const std::filesystem::path& folder) {
  const CampaignConfig config = CampaignConfig::parse(history.start->config_text, (folder / "campaign.toml").string());
  const CompetingSet& competing = history.start->competing;
  const std::string& settings = history.start->settings;
  const std::vector<RankedCandidate> ranked = rank(history);
  std::map<std::string, std::string> formulas;
  for (const CompetingPhase& phase : competing.phases) formulas[phase.id] = phase.structure.composition().reduced().formula();
  for (const RankedCandidate& entry : ranked) formulas[entry.proposal->id] = entry.structure.composition().reduced().formula();

  std::set<std::string> elements;
  for (const CompetingPhase& phase : competing.phases)
    for (const Element element : phase.structure.species()) elements.emplace(element.symbol());

  json summary{{"tamiz", {{"version", version()}, {"commit", commit()}}},
               {"campaign", {{"name", config.name}, {"question", config.question},
                             {"folder", folder.filename().string()}, {"config_text", config.text},
                             {"settings", settings_json(config)}, {"level", json::parse(settings)},
                             {"elements", elements}}},
               {"funnel", funnel_json(history, ranked)},
               {"systems", systems_json(config, competing)},
               {"competing", competing_json(history)},
               {"candidates", json::array()},
               {"rounds", rounds_json(history)},
               {"parity", parity_json(history)},
               {"cost", cost_json(history)},
               {"corrections", corrections_json()},
               {"model", last_model_json(history, folder)},
               {"limits", limits(history)}};
  for (const RankedCandidate& entry : ranked)
    summary["candidates"].push_back(candidate_json(entry, competing, formulas, settings));
  return summary;
}

}  // namespace tamiz
