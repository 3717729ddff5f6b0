#include "tamiz/screening/campaign/start.hpp"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/hash.hpp"
#include "tamiz/core/base/log.hpp"
#include "tamiz/core/base/version.hpp"
#include "tamiz/potentials/engine/model_file.hpp"
#include "tamiz/potentials/engine/training/training_set.hpp"
#include "tamiz/screening/campaign/first_labels.hpp"
#include "tamiz/screening/campaign/summary_model.hpp"
#include "tamiz/screening/oracle/label_json.hpp"
#include "tamiz/screening/oracle/make_oracle.hpp"
#include "tamiz/screening/propose/systems.hpp"

namespace tamiz {
namespace {

/// Names and sources of phases may be corrected without harm: geometry and energy make the hull.
std::vector<std::string> changes_of_phases(const CompetingSet& then, const CompetingSet& now) {
  std::map<std::string, const CompetingPhase*> left;
  for (const CompetingPhase& phase : now.phases) left[phase.id] = &phase;
  std::vector<std::string> changes;
  for (const CompetingPhase& phase : then.phases) {
    const auto found = left.find(phase.id);
    if (found == left.end()) {
      changes.push_back(phase.id + " is gone");
      continue;
    }
    if (found->second->energy_per_atom != phase.energy_per_atom ||
        found->second->structure.content_hash() != phase.structure.content_hash())
      changes.push_back(phase.id + " has another energy or geometry");
    left.erase(found);
  }
  for (const auto& [id, phase] : left) changes.push_back(id + " is new");
  return changes;
}

/// A model that lacks an element would only say so once it has relaxed all others.
void check_elements(const CampaignStart& start, const CampaignConfig& config) {
  const auto known = nlohmann::json::parse(start.model).at("description").at("elements").get<std::set<std::string>>();
  for (const std::string& system : config.systems)
    for (const Element element : elements_of_system(system))
      if (!known.contains(std::string(element.symbol())))
        throw SpeciesError(fmt::format("the model {} does not know {}, which is in the system {}: it knows {}", config.model.string(), element.symbol(),
                                       system, fmt::join(known, ", ")));
}

/// Labels of two levels teach a model neither.
void check_level(const CampaignStart& start, const CampaignConfig& config) {
  const std::string trained = nlohmann::json::parse(start.model).at("card").value("level", "");
  if (trained.empty() || trained == level_name(config.label.level)) return;
  throw FormatError(fmt::format("the model {} was trained at level {}, and the campaign asks for labels at {}, whose energies are not comparable: take a model of this level",
                                config.model.string(), trained, level_name(config.label.level)));
}

/// What would end the training of a round, whose labels are paid for by then.
void check_first_labels(const CampaignStart& start, const CampaignConfig& config) {
  const FirstLabels first = read_first_labels(config.training_files());
  const auto known = nlohmann::json::parse(start.model).at("description").at("elements").get<std::set<std::string>>();
  for (const std::vector<Frame>* frames : {&first.training, &first.test}) {
    check_labels(*frames, frames == &first.test ? "first test" : "first training", true);
    for (const Frame& frame : *frames)
      for (const Element element : frame.structure.species())
        if (!known.contains(std::string(element.symbol())))
          throw SpeciesError(fmt::format("{} hold {}, which the model {} does not know: name the labels that it was trained on",
                                         fmt::join(config.training, ", "), element.symbol(), config.model.string()));
  }
}

/// Without a committee nothing says where the model may be wrong, and a search only follows it.
void warn_without_committee(const CampaignStart& start, const CampaignConfig& config) {
  const auto description = nlohmann::json::parse(start.model).at("description");
  if (description.value("committee members", 0) < 2 || !(description.value("uncertainty scale", 0.0) > 0.0))
    log::warning(fmt::format("the model {} offers no uncertainty: its errors are taken for small, and no label is chosen to find out where they are not",
                             config.model.string()));
}

}  // namespace

CampaignStart read_start(const CampaignConfig& config) {
  const auto data = data_directory();
  CampaignStart start;
  start.config_text = config.text;
  start.version = version();
  start.settings = read_level(config.label.level);
  start.model_hash = hash_hex(read_file(data / config.model));
  start.model = model_json(config.model.string(), ModelFile::read(data / config.model)).dump();
  start.training_hash = hash_of_first_labels(config.training_files());
  start.competing = read_competing(data / "known" / "known_phases.toml", data / config.competing, level_name(config.label.level),
                                   start.settings, config.systems);
  return start;
}

void check_start(const CampaignStart& start, const CampaignConfig& config) {
  const auto data = data_directory();
  if (start.competing.phases.empty())
    throw FormatError(fmt::format("{} holds no competing phase of {} at level {}: make starts of the known phases with python -m tamiz.studies.known_structures, "
                                  "and relax them with tamiz label --task relax at this level first",
                                  (data / config.competing).string(), fmt::join(config.systems, ", "), config.label.level));
  std::set<Element> elements;
  for (const CompetingPhase& phase : start.competing.phases)
    if (phase.structure.composition().counts().size() == 1) elements.insert(phase.structure.species().front());
  for (const std::string& system : config.systems)
    for (const Element element : elements_of_system(system))
      if (!elements.contains(element))
        throw FormatError(fmt::format("{} holds no elemental phase of {} at level {}, without which there is no hull of "
                                      "{}: label it first",
                                      (data / config.competing).string(), element.symbol(), config.label.level, system));
  check_elements(start, config);
  warn_without_committee(start, config);
  check_level(start, config);
  check_first_labels(start, config);
  if (nlohmann::json::parse(start.settings).value("code", "") == "gpaw" && config.label.oracle.starts_with("ase:"))
    throw CapabilityError(fmt::format("level {} is GPAW's, and the oracle is {}: energies of different codes are never compared; "
                                      "give the oracle a level and competing phases of its own",
                                      config.label.level, config.label.oracle));
}

std::vector<std::string> changes_between(const CampaignStart& then, const CampaignStart& now) {
  std::vector<std::string> changes;
  if (then.model_hash != now.model_hash) changes.push_back("the starting model is another one");
  if (then.training_hash != now.training_hash) changes.push_back("the labels that it was trained on are others");
  if (then.settings != now.settings)
    changes.push_back("the DFT level has other settings (" + differing_members(nlohmann::json::parse(then.settings), nlohmann::json::parse(now.settings)) + ")");
  const std::vector<std::string> phases = changes_of_phases(then.competing, now.competing);
  if (!phases.empty()) changes.push_back(fmt::format("competing phases: {}", fmt::join(phases, ", ")));
  else if (then.competing.missing != now.competing.missing) changes.push_back("other competing phases are known to be missing");
  return changes;
}

}  // namespace tamiz
