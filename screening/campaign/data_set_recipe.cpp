#include "tamiz/screening/campaign/data_set_recipe.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/hash.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/io/toml.hpp"
#include "tamiz/core/io/toml_elements.hpp"
#include "tamiz/core/structure/composition.hpp"
#include "tamiz/potentials/engine/training/label_weights.hpp"
#include "tamiz/screening/campaign/ledger.hpp"
#include "tamiz/screening/oracle/label_json.hpp"

namespace tamiz {
namespace {

using nlohmann::json;
using Info = std::map<std::string, std::string>;

std::string text_of(const json& value) {
  if (value.is_number_float()) return format_double(value.get<double>());
  return value.is_string() ? value.get<std::string>() : value.dump();
}

/// What the worker said, as far as it is one value or a list of numbers; what was asked about may say the same of an earlier label.
void add_properties(Info& info, const json& properties) {
  for (const auto& [key, value] : properties.items())
    if (!value.is_object()) info.insert_or_assign(info_name(key), text_of(value));
}

/// The end of a relaxation says more than another label of its geometry; what both cost is not lost.
void keep_the_end(Info& kept, Info other) {
  if (kept.contains("relax_steps") || !other.contains("relax_steps")) return;
  if (const auto cost = kept.find("core_seconds"); cost != kept.end())
    other["core_seconds"] = format_double(parse_double(cost->second, "core_seconds") + parse_double(other.at("core_seconds"), "core_seconds"));
  other["split"] = kept.at("split");
  for (const char* key : {"energy_moved", "free_energy_smearing"})  // of the labels, which are the kept ones
    if (const auto moved = kept.find(key); moved != kept.end()) other.insert_or_assign(key, moved->second);
  kept = std::move(other);
}

/// Splits are of compositions written in one way.
std::set<std::string> compositions_of(const TomlTable& table, const std::string& key) {
  std::set<std::string> formulas;
  for (const std::string& text : table.texts(key, {})) formulas.insert(Composition::from_formula(text).reduced().formula());
  return formulas;
}

std::set<std::string> systems_of(const TomlTable& table, const std::string& key) {
  std::set<std::string> systems;
  for (std::string text : table.texts(key, {})) {
    std::erase(text, '-');
    systems.insert(Composition::from_formula(text).system());
  }
  return systems;
}

/// Gathers the labels of ledgers, one after the other.
class Gathering {
 public:
  explicit Gathering(const DataSetRecipe& recipe) : recipe_(recipe) {}

  void add_ledger(const std::filesystem::path& path) {
    Info origin;
    started_.clear();
    std::size_t line = 0;
    for (const json& record : Ledger::read(path)) {
      ++line;
      try {
        if (record.at("kind") == "labels" || record.at("kind") == "campaign") origin = origin_of(record);
        if (record.at("kind") == "label_started" && record.contains("structure")) started_.insert_or_assign(record.at("key"), record.at("structure"));
        if (record.at("kind") == "label") add_label(record, origin);
      } catch (const Error& error) {
        throw FormatError(path.string() + ":" + std::to_string(line) + ": " + error.what());
      } catch (const json::exception& error) {
        throw FormatError(path.string() + ":" + std::to_string(line) + ": " + error.what());
      }
    }
  }

  DataSet data() && {
    for (Frame& frame : data_.frames) {
      if (const auto gap = gaps_.find(frame.structure.content_hash()); gap != gaps_.end())
        for (const auto& [key, value] : gap->second) frame.info.insert_or_assign(key, value);
    }
    for (std::size_t k = 0; k < data_.frames.size(); ++k) add_weights(data_.frames[k], is_metal_[k]);
    // A label that failed and was had when it was asked for again is no failure; its frame has the cost of all attempts.
    for (const auto& [key, failure] : failures_)
      if (!finished_.contains(key)) data_.failures.push_back(failure);
    return std::move(data_);
  }

 private:
  /// What the first record of a ledger says of all of its labels: a campaign has one level.
  static Info origin_of(const json& record) {
    Info origin{{"commit", record.at("commit").get<std::string>()}};
    if (record.at("kind") != "campaign") return origin;
    const json& level = record.at("level");
    origin["level"] = level.value("name", "");
    origin["settings"] = level.dump();
    return origin;
  }

  void add_label(const json& record, const Info& origin) {
    const LabelResult label = label_result_from_json(record);
    Info info = origin;
    info["id"] = label.id;
    for (const char* key : {"task", "level"})
      if (record.contains(key)) info[key] = text_of(record.at(key));
    if (record.contains("settings")) info["settings"] = record.at("settings").dump();
    if (record.contains("info"))
      for (const auto& [key, value] : record.at("info").items())
        if (key != "split" && !is_of_one_label(key)) info.try_emplace(key, text_of(value));
    const json properties = json::parse(label.properties);
    const bool is_gap = record.value("task", "") == "gap";
    const bool is_metal = says_metal(properties);
    if (!is_gap) add_steps(label, properties, info, is_metal);
    const double cost = cost_of(label, properties);
    if (label.status != LabelStatus::finished) return add_failure(record, label, std::move(info), cost);
    finished_.insert(label.key);
    if (is_gap) return add_gap(label, properties);
    if (!label.trajectory.empty()) {
      info["step"] = std::to_string(label.trajectory.size());
      info.try_emplace("parents", label.id + " step 0");
    }
    info["core_seconds"] = format_double(cost);
    add_properties(info, properties);
    add_frame(*label.frame, std::move(info), is_metal);
  }

  /// With that of earlier attempts, which a relaxation that goes on from its kept state says itself [core-seconds].
  double cost_of(const LabelResult& label, const json& properties) {
    double& spent = spent_[label.key];
    if (label.cached) return label.cost;
    spent = label.cost + (properties.contains("cost_before") ? properties.at("cost_before").get<double>() : spent);
    return spent;
  }

  /// Geometries on the way, which are as good where the relaxation came to no end.
  void add_steps(const LabelResult& label, const json& properties, const Info& info, bool is_metal) {
    for (std::size_t k = 0; k < label.trajectory.size(); ++k) {
      Info of_step = info;
      for (const auto& [key, value] : properties.items()) of_step.erase(info_name(key));
      of_step["step"] = std::to_string(k);
      for (const char* key : {"oracle", "version", "mesh"})
        if (properties.contains(key)) of_step[info_name(key)] = text_of(properties.at(key));
      add_frame(label.trajectory[k], std::move(of_step), is_metal);
    }
  }

  /// Whether it is of a metal is for its weights: the gap itself is that of the end of a relaxation alone.
  void add_frame(const Frame& labelled, Info info, bool is_metal) {
    for (const auto& [key, text] : labelled.info) info.insert_or_assign(key, text);
    // The same geometry at the same settings is one frame: a relaxation that goes on from another begins with its end. On another
    // class of mesh it is another.
    const auto settings = info.find("settings");
    const std::string how = settings != info.end() ? settings->second : info["level"];
    const auto mesh = info.find("mesh_used");
    const std::string key = labelled.structure.content_hash() + how + (mesh != info.end() ? mesh->second : "");
    const auto [seen, is_new] = seen_.try_emplace(key, data_.frames.size());
    if (!is_new) return keep_the_end(data_.frames[seen->second].info, std::move(info));
    info["split"] = recipe_.split_of(labelled.structure);
    data_.frames.push_back({labelled.structure, labelled.labels, std::move(info), {}});
    is_metal_.push_back(is_metal);
    if (recipe_.smearing) move_smearing(data_.frames.back(), *recipe_.smearing);
    if (!recipe_.references.empty()) move_references(data_.frames.back());
  }

  /// Free energies of electrons fall with the square of the smearing's width (Gillan 1989, doi:10.1088/0953-8984/1/4/005).
  static void move_smearing(Frame& frame, double width) {
    Labels& labels = frame.labels;
    if (!labels.energy || !labels.free_energy) return;
    const auto settings = frame.info.find("settings");
    const json own = settings != frame.info.end() ? json::parse(settings->second).value("smearing", json()) : json();
    if (!own.is_number() || own.get<double>() <= 0.0)
      throw FormatError(frame.info.at("id") + ": the settings of this label do not say how wide its smearing is, from which `smearing` would move it");
    const double ratio = width / own.get<double>();
    labels.free_energy = *labels.energy + ratio * ratio * (*labels.free_energy - *labels.energy);
    frame.info["free_energy_smearing"] = format_double(width);
  }

  void move_references(Frame& frame) const {
    double sum = 0.0;
    for (const Element element : frame.structure.species()) {
      const auto found = recipe_.references.find(element);
      if (found == recipe_.references.end()) throw SpeciesError("[references] has no " + std::string(element.symbol()));
      sum += found->second;
    }
    for (auto* energy : {&frame.labels.energy, &frame.labels.free_energy})
      if (*energy) **energy += sum;
    frame.info["energy_moved"] = format_double(sum);
  }

  void add_weights(Frame& frame, bool is_metal) const {
    Info& info = frame.info;
    const DataSetRecipe::Weights& w = recipe_.weights;
    for (const auto& [key, weight] : {std::pair(weight_keys::k_energy, is_metal ? w.of_metal(frame.structure) : w.energy),
                                      std::pair(weight_keys::k_forces, w.forces), std::pair(weight_keys::k_stress, w.stress)})
      if (weight != 1.0) info[key] = format_double(weight);
  }

  void add_gap(const LabelResult& label, const json& properties) {
    Info& gap = gaps_[label.frame->structure.content_hash()];
    for (const auto& [key, value] : properties.items())
      if (key.starts_with("gap")) gap[key] = text_of(value);
    if (!label.cached) gap["gap_core_seconds"] = format_double(label.cost);  // of another id, it cost nothing more
  }

  void add_failure(const json& record, const LabelResult& label, Info info, double cost) {
    const auto started = started_.find(label.key);
    if (!record.contains("structure") && started == started_.end()) return;  // ledgers did not always keep what was asked for
    const json& asked = record.contains("structure") ? record.at("structure") : started->second;
    info["status"] = to_string(label.status);
    info["reason"] = label.reason;
    info["core_seconds"] = format_double(cost);
    failures_.insert_or_assign(label.key, Frame{structure_from_json(asked), {}, std::move(info), {}});
  }

  const DataSetRecipe& recipe_;
  DataSet data_;
  std::vector<bool> is_metal_;               // of each frame
  std::map<std::string, double> spent_;      // on each key so far [core-seconds]
  std::map<std::string, std::size_t> seen_;  // index of the frame by geometry and settings
  std::map<std::string, Frame> failures_;    // the last of each key of a label
  std::set<std::string> finished_;           // keys
  std::map<std::string, json> started_;      // structures of the labels of a campaign, by key
  std::map<std::string, Info> gaps_;
};

void read_split(const TomlTable& split, DataSetRecipe& recipe) {
  split.allow_only({"test_systems", "test_compositions", "validation"});
  recipe.test_systems = systems_of(split, "test_systems");
  recipe.test_compositions = compositions_of(split, "test_compositions");
  recipe.validation = split.number("validation", recipe.validation);
  if (recipe.validation < 0.0 || recipe.validation >= 1.0) split.fail("validation", "expected a share from 0 to below 1");
}

double positive_from(const TomlTable& table, const std::string& key) {
  const double value = table.number(key, 0.0);
  if (!std::isfinite(value) || value <= 0.0) table.fail(key, "expected a number above 0");
  return value;
}

double weight_from(const TomlTable& table, const std::string& key, double fallback) {
  const double weight = table.number(key, fallback);
  if (!std::isfinite(weight) || weight < 0.0) table.fail(key, "expected a number that is not negative");
  return weight;
}

DataSetRecipe::Weights weights_from(const TomlTable& table) {
  table.allow_only({"energy", "forces", "stress", "energy_of_metals", "energy_of_metals_with"});
  const double energy = weight_from(table, "energy", 1.0);
  DataSetRecipe::Weights weights{energy, weight_from(table, "forces", 1.0), weight_from(table, "stress", 1.0),
                                 weight_from(table, "energy_of_metals", energy), {}};
  const TomlTable with = table.table("energy_of_metals_with");
  weights.energy_of_metals_with = numbers_by_element(with);
  for (const std::string& key : with.keys()) weight_from(with, key, 1.0);
  return weights;
}

/// A table of the recipe, or that of the recipe which it names with `as`.
TomlTable own_or_named(const TomlTable& root, const std::string& name, const std::filesystem::path& folder) {
  TomlTable table = root.table(name);
  if (!table.has("as")) return table;
  table.allow_only({"as"});
  const std::filesystem::path other = folder / table.text("as", "");
  if (!std::filesystem::is_regular_file(other)) table.fail("as", "there is no recipe " + other.string());
  TomlTable theirs = TomlTable::read(other).table(name);
  if (theirs.has("as")) table.fail("as", other.string() + " has no [" + name + "] of its own: name the recipe that it names");
  return theirs;
}

}  // namespace

DataSetRecipe DataSetRecipe::read(const std::filesystem::path& path) {
  const TomlTable root = TomlTable::read(path);
  root.allow_only({"ledgers", "card", "split", "references", "weights", "smearing"});
  root.require("ledgers");
  DataSetRecipe recipe;
  for (const std::string& ledger : root.texts("ledgers", {})) recipe.ledgers.push_back(path.parent_path() / ledger);
  if (root.has("smearing")) recipe.smearing = positive_from(root, "smearing");
  const TomlTable card = root.table("card");
  for (const std::string& key : card.keys()) recipe.card[key] = card.text(key, "");
  read_split(own_or_named(root, "split", path.parent_path()), recipe);
  recipe.references = numbers_by_element(own_or_named(root, "references", path.parent_path()));
  recipe.weights = weights_from(own_or_named(root, "weights", path.parent_path()));
  return recipe;
}

double DataSetRecipe::Weights::of_metal(const Structure& structure) const {
  double product = 1.0, n = 0.0;
  for (const Element element : std::set<Element>(structure.species().begin(), structure.species().end()))
    if (const auto found = energy_of_metals_with.find(element); found != energy_of_metals_with.end()) {
      product *= found->second;
      n += 1.0;
    }
  return n > 0.0 ? std::pow(product, 1.0 / n) : energy_of_metals;
}

std::string DataSetRecipe::split_of(const Structure& structure) const {
  const Composition composition = structure.composition();
  const std::string formula = composition.reduced().formula();
  if (test_systems.contains(composition.system()) || test_compositions.contains(formula)) return "test";
  // Elements hold the scale of all energies, and 1:1 compounds, of which there are pair curves, that of a pair.
  if (composition.reduced().n_atoms() <= 2) return "train";
  const double place = static_cast<double>(hash64(formula)) / 18446744073709551616.0;
  return place < validation ? "validation" : "train";
}

DataSet make_data_set(const DataSetRecipe& recipe) {
  Gathering gathering(recipe);
  for (const std::filesystem::path& ledger : recipe.ledgers) gathering.add_ledger(ledger);
  DataSet data = std::move(gathering).data();
  data.card = recipe.card;
  return data;
}

}  // namespace tamiz
