#include "tamiz/screening/campaign/config.hpp"

#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/units.hpp"
#include "tamiz/core/io/toml.hpp"
#include "tamiz/screening/propose/options.hpp"

namespace tamiz {
namespace {

int count(const TomlTable& table, const std::string& key, int fallback, int least) {
  const std::int64_t value = table.integer(key, fallback);
  if (value < least || value > 1000000) table.fail(key, "expected a whole number from " + std::to_string(least) + " to 1000000");
  return static_cast<int>(value);
}

double bounded(const TomlTable& table, const std::string& key, double fallback, double low, double high) {
  const double value = table.number(key, fallback);
  if (!(value > low && value <= high))
    table.fail(key, "expected a number above " + std::to_string(low) + ", at most " + std::to_string(high));
  return value;
}

RelaxOptions relax_options(const TomlTable& table) {
  table.allow_only({"fmax", "smax_gpa", "max_steps", "atoms_per_batch"});
  RelaxOptions options;
  options.fmax = bounded(table, "fmax", 0.02, 0.0, 1.0);
  options.smax = bounded(table, "smax_gpa", 0.2, 0.0, 10.0) * units::k_gpa;
  options.max_steps = count(table, "max_steps", 250, 1);
  options.atoms_per_batch = static_cast<std::size_t>(count(table, "atoms_per_batch", 512, 1));
  return options;
}

DecideOptions decide_options(const TomlTable& table) {
  table.allow_only({"rounds", "labels_per_round", "explore", "window", "max_per_composition"});
  DecideOptions options;
  options.rounds = count(table, "rounds", options.rounds, 1);
  options.labels_per_round = count(table, "labels_per_round", options.labels_per_round, 1);
  options.explore = count(table, "explore", std::min(options.explore, options.labels_per_round), 0);
  if (options.explore > options.labels_per_round) table.fail("explore", "is more than labels_per_round");
  options.window = bounded(table, "window", options.window, 0.0, 10.0);
  options.max_per_composition = count(table, "max_per_composition", options.max_per_composition, 1);
  return options;
}

LabelOptions label_options(const TomlTable& table) {
  table.allow_only({"oracle", "level", "workers", "relax_steps", "timeout", "gaps"});
  LabelOptions options;
  options.oracle = table.text("oracle", options.oracle);
  options.level = table.text("level", options.level);
  options.workers = count(table, "workers", options.workers, 0);
  options.relax_steps = count(table, "relax_steps", options.relax_steps, 0);
  options.timeout = bounded(table, "timeout", options.timeout, 0.0, 1e7);
  options.gaps = count(table, "gaps", options.gaps, 0);
  return options;
}

LearnOptions learn_options(const TomlTable& table) {
  table.allow_only({"steps", "learning_rate", "batch_size", "share", "held_out", "min_held_out"});
  LearnOptions options;
  options.steps = count(table, "steps", options.steps, 1);
  options.learning_rate = bounded(table, "learning_rate", options.learning_rate, 0.0, 1.0);
  options.batch_size = count(table, "batch_size", options.batch_size, 1);
  options.share = bounded(table, "share", options.share, 0.0, 0.9);
  options.held_out = bounded(table, "held_out", options.held_out, 0.0, 0.9);
  options.min_held_out = count(table, "min_held_out", options.min_held_out, 0);
  return options;
}

PhononOptions phonon_options(const TomlTable& table) {
  table.allow_only({"candidates", "length", "tolerance"});
  PhononOptions options;
  options.candidates = count(table, "candidates", options.candidates, 0);
  options.length = bounded(table, "length", options.length, 0.0, 50.0);
  options.tolerance = bounded(table, "tolerance", options.tolerance, 0.0, 10.0);
  return options;
}

}  // namespace

CampaignConfig CampaignConfig::read(const std::filesystem::path& path) {
  CampaignConfig config = parse(read_file(path), path.string());
  config.propose = propose_options_from_toml(path);  // with a look at the names that only the data folder knows
  return config;
}

CampaignConfig CampaignConfig::parse(const std::string& text, const std::string& name) {
  CampaignConfig config;
  config.text = text;
  const TomlTable root = TomlTable::parse(text, name);
  root.allow_only({"campaign", "propose", "relax", "decide", "label", "learn", "phonons"});
  const TomlTable campaign = root.table("campaign");
  campaign.allow_only({"name", "question", "systems", "seed", "model", "competing", "training"});
  for (const char* key : {"name", "systems", "model", "competing", "training"}) campaign.require(key);
  config.name = campaign.text("name", "");
  if (config.name.empty() || config.name.find('/') != std::string::npos || config.name.starts_with('.'))
    campaign.fail("name", "is the name of the run folder, expected a text without / that does not begin with a point");
  config.question = campaign.text("question", "");
  config.seed = static_cast<std::uint64_t>(campaign.integer("seed", 1));
  config.model = campaign.text("model", "");
  config.competing = campaign.text("competing", "");
  config.training = campaign.text_or_texts("training");
  if (config.training.empty()) campaign.fail("training", "expected a path or several");
  config.propose = propose_options_of(root);
  config.systems = config.propose.systems;
  config.relax = relax_options(root.table("relax"));
  config.decide = decide_options(root.table("decide"));
  config.label = label_options(root.table("label"));
  config.learn = learn_options(root.table("learn"));
  config.phonons = phonon_options(root.table("phonons"));
  return config;
}

std::vector<std::filesystem::path> CampaignConfig::training_files() const {
  std::vector<std::filesystem::path> files;
  for (const std::string& path : training) files.push_back(data_directory() / path);
  return files;
}

}  // namespace tamiz
