#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/io/data_set.hpp"
#include "tamiz/core/io/format.hpp"
#include "tamiz/core/structure/symmetry.hpp"
#include "tamiz/potentials/engine/model_file.hpp"
#include "tamiz/screening/campaign/campaign.hpp"
#include "tamiz/screening/campaign/ledger.hpp"
#include "tamiz/screening/campaign/records.hpp"
#include "tamiz/screening/cli/command.hpp"
#include "tamiz/screening/cli/data_set_info.hpp"
#include "tamiz/screening/properties/gap_model.hpp"

namespace tamiz::cli {
namespace {

using nlohmann::json;

json model_info(const std::filesystem::path& path) {
  const ModelFile model = ModelFile::read(path);
  const ModelDescription& d = model.description;
  std::vector<std::string> elements;
  for (const Element element : d.elements) elements.emplace_back(element.symbol());
  std::map<std::string, std::string> card = model.card.entries;
  for (const char* key : {"level", "training_set", "licence"}) card.try_emplace(key, "not stated");
  json energies, cohesion;
  for (std::size_t k = 0; k < d.elements.size(); ++k) {
    energies[elements[k]] = d.atomic_energies[k];
    if (!d.cohesion.empty()) cohesion[elements[k]] = d.cohesion[k];
  }
  return {{"kind", "model"}, {"elements", elements}, {"cutoff", d.cutoff}, {"channels", d.channels}, {"l_max", d.l_max},
          {"hidden_l", d.hidden_l}, {"correlation", d.correlation}, {"interactions", d.n_interactions},
          {"members", d.n_members}, {"blocks", d.blocks}, {"radial_basis", d.radial_basis},
          {"distance_transform", d.distance_transform}, {"repulsion", d.repulsion}, {"reference_energies", energies}, {"cohesion", cohesion},
          {"uncertainty_scale", d.uncertainty_scale}, {"card", card}};
}

/// What became of one label, without its geometries.
json label_info(const json& record) {
  json info;
  for (const char* key : {"id", "candidate", "round", "task", "level", "status", "reason", "cost"})
    if (record.contains(key)) info[key] = record.at(key);
  return info;
}

/// What a campaign began with, in short.
json start_info(const json& record) {
  const CampaignStart start = start_from_json(record);
  const CampaignConfig config = CampaignConfig::parse(start.config_text, "campaign.toml");
  return {{"name", config.name},
          {"version", start.version},
          {"level", config.label.level},
          {"model", config.model.string()},
          {"model_hash", start.model_hash},
          {"training_hash", start.training_hash},
          {"competing_phases", start.competing.phases.size()}};
}

json run_info(const std::filesystem::path& ledger) {
  json info{{"kind", "run"}};
  std::map<std::string, int> kinds;
  json labels = json::array(), counts;
  double cost = 0.0;
  for (const json& record : Ledger::read(ledger)) {
    ++kinds[record.at("kind").get<std::string>()];
    if (record.at("kind") == "campaign") info["campaign"] = start_info(record);
    if (record.at("kind") != "label") continue;
    labels.push_back(label_info(record));
    json& count = counts[record.value("task", "no task")][record.value("status", "no status")];
    count = count.is_null() ? 1 : count.get<int>() + 1;
    cost += record.value("cost", 0.0);
  }
  info.update({{"records", kinds}, {"label_core_seconds", cost}, {"label_counts", counts}, {"labels", labels}});
  return info;
}

/// For a large crystal of many repeats the search takes hours.
constexpr std::size_t k_most_for_symmetry = 5000;

std::string space_group_text(const Structure& structure) {
  if (!structure.is_periodic()) return "not periodic";
  if (structure.size() > k_most_for_symmetry) return fmt::format("not looked for in more than {} atoms", k_most_for_symmetry);
  try {
    const SpaceGroup group = space_group(structure);
    return fmt::format("{} ({})", group.symbol, group.number);
  } catch (const std::exception& error) {
    return error.what();
  }
}

json structure_info(const std::filesystem::path& path) {
  const std::vector<Frame> frames = read_frames(path);
  std::map<std::string, int> formulas;
  std::map<std::string, int> labels{{"energy", 0}, {"free_energy", 0}, {"forces", 0}, {"stress", 0}};
  std::size_t n_atoms = 0;
  for (const Frame& frame : frames) {
    ++formulas[frame.structure.composition().reduced().formula()];
    n_atoms += frame.structure.size();
    labels["energy"] += frame.labels.energy.has_value();
    labels["free_energy"] += frame.labels.free_energy.has_value();
    labels["forces"] += frame.labels.forces.has_value();
    labels["stress"] += frame.labels.stress.has_value();
  }
  json info{{"kind", "structures"}, {"frames", frames.size()}, {"atoms", n_atoms}, {"formulas", formulas}, {"labels", labels}};
  if (frames.size() == 1) {
    const Structure& structure = frames.front().structure;
    info["space_group"] = space_group_text(structure);
    info["volume_per_atom"] = structure.lattice().volume() / static_cast<double>(structure.size());
    info["shortest_distance"] = structure.shortest_distance();
  }
  return info;
}

/// For people: of the labels of a run, which may be thousands, only those that did not finish.
json in_short(json info) {
  if (info.at("kind") != "run") return info;
  json unfinished;
  for (const json& label : info.at("labels"))
    if (label.value("status", "") != "finished") unfinished[label.value("id", "no id")] = label.value("reason", label.value("status", "no status"));
  info.erase("labels");
  if (!unfinished.is_null()) info["labels_not_finished"] = unfinished;
  return info;
}

void print(const json& value, const std::string& indent = "") {
  for (const auto& [key, entry] : value.items()) {
    if (entry.is_object()) {
      fmt::print("{}{}:\n", indent, key);
      print(entry, indent + "  ");
    } else {
      fmt::print("{}{}: {}\n", indent, key, entry.is_string() ? entry.get<std::string>() : entry.dump());
    }
  }
}

json gap_model_info(const std::filesystem::path& path) {
  const GapModel model = GapModel::load(path);
  const auto n_gaps = std::ranges::count_if(model.samples(), [](const GapSample& sample) { return sample.gap > 0.0; });
  return {{"kind", "gap model"}, {"level", model.level()}, {"crystals", model.samples().size()}, {"gaps", n_gaps},
          {"uses_plain_gaps", model.knows_plain_gaps()}, {"potential_hash", model.potential()}};
}

json info_of(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) return run_info(ledger_of_run(path));
  if (path.extension() == ".tz") return run_info(path);
  if (path.extension() == ".safetensors") return model_info(path);
  if (path.extension() == ".model")
    throw FormatError(path.string() + " is a checkpoint of mace-torch: make a model of it with tamiz import, and ask for that");
  if (is_data_set(path)) return data_set_info(read_data_set(path));
  if (GapModel::is_one(path)) return gap_model_info(path);
  return structure_info(path);
}

}  // namespace

void add_info(CLI::App& app) {
  auto path = std::make_shared<std::string>();
  CLI::App* command = add_command(app, "info", "Say what is in a structure file, a data set, a model or a run", "tamiz info model.safetensors",
                                  [path](const Common& common, json& result) {
                                    result = info_of(*path);
                                    if (common.speaks()) print(in_short(result));
                                    return k_done;
                                  });
  command->add_option("file", *path, "Structure file, data set, model (.safetensors), gap model, ledger (.tz) or run folder")->required()->check(CLI::ExistingPath);
}

}  // namespace tamiz::cli
