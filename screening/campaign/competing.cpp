#include "tamiz/screening/campaign/competing.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/io/toml.hpp"
#include "tamiz/screening/campaign/ledger.hpp"
#include "tamiz/screening/oracle/label_json.hpp"
#include "tamiz/screening/propose/systems.hpp"

namespace tamiz {
namespace {

/// The list of known phases: those that compete on a hull, and the others.
struct KnownPhases {
  std::vector<ReportedPhase> competitors, others;
};

KnownPhases known_phases_of(const std::filesystem::path& path) {
  const TomlTable root = TomlTable::read(path);
  KnownPhases known;
  for (const TomlTable& table : root.tables("phase")) {
    table.require("id");
    table.require("formula");
    auto& list = table.text("role", "competitor") == "competitor" ? known.competitors : known.others;
    list.push_back({table.text("id", ""), table.text("name", table.text("id", "")), table.text("source", ""),
                    Composition::from_formula(table.text("formula", "")), static_cast<int>(table.integer("space_group", 0))});
  }
  if (known.competitors.empty()) throw FormatError(path.string() + ": no phase with role = \"competitor\"");
  return known;
}

std::set<Element> elements_of(const Composition& composition) {
  std::set<Element> elements;
  for (const auto& [element, count] : composition.counts()) elements.insert(element);
  return elements;
}

bool inside(const Composition& composition, const std::set<Element>& system) {
  const std::set<Element> elements = elements_of(composition);
  return std::includes(system.begin(), system.end(), elements.begin(), elements.end());
}

/// Names of the settings in which a label differs from the level. Two levels may have the same name, as a file that was changed, and their
/// energies are not comparable. The class of the mesh is that of the compound; old ledgers do not say the settings.
std::string other_settings(const nlohmann::json& record, nlohmann::json settings) {
  if (!record.contains("settings")) return "";
  nlohmann::json of_record = record.at("settings");
  for (nlohmann::json* some : {&of_record, &settings}) some->erase("mesh");
  return differing_members(of_record, settings);
}

/// Labels of one level by their ids, the last of each.
struct Relaxed {
  std::map<std::string, LabelResult> finished;
  std::map<std::string, std::string> outdated;  ///< ids, and the settings that were others
};

Relaxed relaxed_at(const std::filesystem::path& ledger, const std::string& level, const nlohmann::json& settings) {
  Relaxed relaxed;
  for (const nlohmann::json& record : Ledger::read(ledger)) {
    if (record.at("kind") != "label" || record.value("level", level) != level || record.value("task", "relax") != "relax") continue;
    if (std::string names = other_settings(record, settings); !names.empty()) {
      relaxed.outdated.insert_or_assign(record.at("id").get<std::string>(), std::move(names));
      continue;
    }
    LabelResult result = label_result_from_json(record);
    if (result.status == LabelStatus::finished) relaxed.finished.insert_or_assign(result.id, std::move(result));
  }
  return relaxed;
}

}  // namespace

bool CompetingSet::complete(const std::string& system) const {
  const auto wanted = elements_of_system(system);
  const std::set<Element> elements(wanted.begin(), wanted.end());
  return std::any_of(missing.begin(), missing.end(), [&](const auto& entry) {
    const auto listed = elements_of_system(entry.first);
    return entry.second.empty() && std::set<Element>(listed.begin(), listed.end()) == elements;
  });
}

std::vector<Phase> hull_phases(std::span<const CompetingPhase> phases) {
  std::vector<Phase> points;
  for (const CompetingPhase& phase : phases) points.push_back({phase.id, phase.structure.composition(), phase.energy_per_atom});
  return points;
}

CompetingSet read_competing(const std::filesystem::path& known_phases, const std::filesystem::path& ledger,
                            const std::string& level, const std::string& settings, std::span<const std::string> systems) {
  const KnownPhases known = known_phases_of(known_phases);
  const Relaxed relaxed = relaxed_at(ledger, level, nlohmann::json::parse(settings));

  CompetingSet set;
  std::set<std::string> taken;
  for (const std::string& system : systems) {
    const std::vector<Element> listed = elements_of_system(system);
    const std::set<Element> elements(listed.begin(), listed.end());
    auto& missing = set.missing[system];
    for (const ReportedPhase& phase : known.others)
      if (inside(phase.composition, elements) && taken.insert(phase.id).second) set.reported.push_back(phase);
    for (const ReportedPhase& phase : known.competitors) {
      if (!inside(phase.composition, elements)) continue;
      const auto found = relaxed.finished.find(phase.id);
      if (found == relaxed.finished.end()) {
        if (const auto other = relaxed.outdated.find(phase.id); other != relaxed.outdated.end())
          throw FormatError(fmt::format("{}: {} was labelled at a level {} with other settings ({}) than it has now: label it again, or give the "
                                        "changed level another name", ledger.string(), phase.id, level, other->second));
        missing.push_back(phase.name);
        continue;
      }
      if (!taken.insert(phase.id).second) continue;
      const Frame& frame = *found->second.frame;
      const nlohmann::json properties = nlohmann::json::parse(found->second.properties);
      set.phases.push_back({phase.id, phase.name, phase.source, frame.structure,
                            *frame.labels.energy / static_cast<double>(frame.structure.size()),
                            properties.contains("gap") ? std::optional(properties.at("gap").get<double>()) : std::nullopt});
    }
  }
  return set;
}

}  // namespace tamiz
