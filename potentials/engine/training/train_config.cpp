#include "tamiz/potentials/engine/training/train_config.hpp"

#include <algorithm>
#include <cmath>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/io/toml.hpp"
#include "tamiz/core/io/toml_elements.hpp"

namespace tamiz {
namespace {

int whole(const TomlTable& table, const std::string& key, int fallback) {
  const std::int64_t value = table.integer(key, fallback);
  if (value < 0 || value > 1'000'000'000) table.fail(key, "expected a whole number from 0 to 1000000000");
  return static_cast<int>(value);
}

ModelDescription model_shape(const TomlTable& table) {
  table.allow_only({"cutoff", "channels", "hidden_l", "l_max", "correlation", "n_interactions", "n_radial", "radial_mlp",
                    "radial_nodes", "readout_hidden", "n_members", "repulsion", "blocks", "radial_basis",
                    "distance_transform", "atomic_energies", "reference_energies"});
  ModelDescription model;
  model.cutoff = table.number("cutoff", model.cutoff);
  model.channels = whole(table, "channels", model.channels);
  model.hidden_l = whole(table, "hidden_l", model.hidden_l);
  model.l_max = whole(table, "l_max", model.l_max);
  model.correlation = whole(table, "correlation", model.correlation);
  model.n_interactions = whole(table, "n_interactions", model.n_interactions);
  model.n_radial = whole(table, "n_radial", model.n_radial);
  model.radial_nodes = whole(table, "radial_nodes", model.radial_nodes);
  model.readout_hidden = whole(table, "readout_hidden", model.readout_hidden);
  model.n_members = whole(table, "n_members", model.n_members);
  model.repulsion = table.boolean("repulsion", true) ? 1.0 : 0.0;
  model.blocks = table.texts("blocks", {});
  model.radial_basis = table.text("radial_basis", model.radial_basis);
  model.distance_transform = table.text("distance_transform", model.distance_transform);
  if (table.has("radial_mlp")) {
    model.radial_mlp.clear();
    for (const double width : table.numbers("radial_mlp", {})) {
      if (width != std::floor(width) || width < 1.0 || width > 4096.0) table.fail("radial_mlp", "expected whole numbers from 1 to 4096");
      model.radial_mlp.push_back(static_cast<int>(width));
    }
  }
  return model;
}

References references(const TomlTable& model, bool has_energies) {
  const std::string kind = model.text("reference_energies", "isolated");
  if (kind == "isolated") return References::isolated;
  if (kind == "both") return References::both;
  if (kind != "fitted") model.fail("reference_energies", "expected isolated, fitted or both");
  if (has_energies) model.fail("reference_energies", "fitted goes not together with atomic_energies, which are they");
  return References::fitted;
}

LossWeights loss_weights(const TomlTable& table, LossWeights weights) {
  table.allow_only({"energy", "forces", "stress", "energy_delta", "force_delta", "stress_delta"});
  weights.energy = table.number("energy", weights.energy);
  weights.forces = table.number("forces", weights.forces);
  weights.stress = table.number("stress", weights.stress);
  weights.energy_delta = table.number("energy_delta", weights.energy_delta);
  weights.force_delta = table.number("force_delta", weights.force_delta);
  weights.stress_delta = table.number("stress_delta", weights.stress_delta);
  return weights;
}

}  // namespace

TrainConfig read_train_config(const std::filesystem::path& path) {
  const TomlTable root = TomlTable::read(path);
  root.allow_only({"model", "train", "loss", "loss_last_stage"});
  TrainConfig config;
  config.model = model_shape(root.table("model"));
  config.atomic_energies = numbers_by_element(root.table("model").table("atomic_energies"));
  config.references = references(root.table("model"), !config.atomic_energies.empty());
  const TomlTable train = root.table("train");
  train.allow_only({"steps", "learning_rate", "weight_decay", "family_decay", "ema_decay", "gradient_clip", "batch_size",
                    "validation_fraction", "validations", "first_cycle", "dtype", "last_stage_fraction",
                    "shift_references"});
  config.steps = train.integer("steps", config.steps);
  config.learning_rate = train.number("learning_rate", config.learning_rate);
  config.weight_decay = train.number("weight_decay", config.weight_decay);
  if (train.has("family_decay")) config.family_decay = train.number("family_decay", 0.0);
  config.ema_decay = train.number("ema_decay", config.ema_decay);
  config.gradient_clip = train.number("gradient_clip", config.gradient_clip);
  config.batch_size = whole(train, "batch_size", config.batch_size);
  config.validation_fraction = train.number("validation_fraction", config.validation_fraction);
  config.validations = whole(train, "validations", config.validations);
  config.first_cycle = whole(train, "first_cycle", config.first_cycle);
  config.last_stage_fraction = train.number("last_stage_fraction", config.last_stage_fraction);
  config.shift_references = train.boolean("shift_references", config.shift_references);
  config.dtype = train.text("dtype", config.dtype);
  if (config.dtype != "float32" && config.dtype != "float64") train.fail("dtype", "expected float32 or float64, got " + config.dtype);
  config.weights = loss_weights(root.table("loss"), config.weights);
  config.last_stage = loss_weights(root.table("loss_last_stage"), config.last_stage);
  return config;
}

}  // namespace tamiz
