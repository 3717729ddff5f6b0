#include "tamiz/potentials/engine/trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/hash.hpp"
#include "tamiz/core/base/log.hpp"
#include "tamiz/core/base/parallel.hpp"
#include "tamiz/core/base/philox.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/potentials/engine/model_parameters.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/potentials/engine/training/calibration.hpp"
#include "tamiz/potentials/engine/training/checkpoint.hpp"
#include "tamiz/potentials/engine/training/errors_json.hpp"
#include "tamiz/potentials/engine/training/family_decay.hpp"
#include "tamiz/potentials/engine/training/label_check.hpp"
#include "tamiz/potentials/engine/training/metrics.hpp"
#include "tamiz/potentials/engine/training/optimizer.hpp"
#include "tamiz/potentials/engine/training/schedule.hpp"
#include "tamiz/potentials/engine/training/split_batch.hpp"
#include "tamiz/potentials/engine/training/training_set.hpp"

namespace tamiz {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t k_checkpoint_every = 200;
constexpr std::int64_t k_metrics_every = 10;
constexpr double k_family_decay = 0.2;

void check_config(const TrainConfig& c) {
  const auto require = [](bool fine, const std::string& what) {
    if (!fine) throw UnitError("training configuration: " + what);
  };
  require(c.steps >= 1, "steps must be at least 1");
  require(c.batch_size >= 1, "batch_size must be at least 1");
  require(std::isfinite(c.learning_rate) && c.learning_rate > 0.0, "learning_rate must be positive");
  require(c.ema_decay >= 0.0 && c.ema_decay < 1.0, "ema_decay must be in [0, 1)");
  require(c.gradient_clip > 0.0, "gradient_clip must be positive");
  require(c.weight_decay >= 0.0, "weight_decay must not be negative");
  require(!c.family_decay || *c.family_decay >= 0.0, "family_decay must not be negative");
  require(c.validation_fraction >= 0.0 && c.validation_fraction < 1.0, "validation_fraction must be in [0, 1)");
  require(c.validations >= 1, "validations must be at least 1");
  require(c.first_cycle >= 0, "first_cycle must not be negative");
  require(c.last_stage_fraction >= 0.0 && c.last_stage_fraction <= 1.0, "last_stage_fraction must be in [0, 1]");
  for (const LossWeights& w : {c.weights, c.last_stage})
    require(w.energy >= 0.0 && w.forces >= 0.0 && w.stress >= 0.0, "loss weights must not be negative");
}

LoadOptions options_of(const TrainConfig& config) {
  const int threads = config.threads > 0 ? config.threads : available_threads();
  return {.dtype = config.dtype, .device = "cpu", .threads = threads, .engine = config.engine};
}

/// Everything fixed before the first step.
struct Plan {
  TrainConfig config;
  TrainingSet set;
  ModelFile start;
  double family_decay;
};

Plan make_plan(const TrainConfig& config, std::span<const Frame> frames, const std::optional<ModelFile>& initial,
               std::span<const Frame> validation) {
  check_config(config);
  const bool forces = config.weights.forces > 0.0 || config.last_stage.forces > 0.0;
  check_labels(frames, "training", forces);
  if (initial && !config.atomic_energies.empty())
    throw FormatError("model.atomic_energies: the reference energies of an initial model are kept, or moved onto the labels with train.shift_references");
  if (!initial && config.shift_references) throw FormatError("train.shift_references: there is no initial model whose reference energies could be moved");
  if (!validation.empty()) check_labels(validation, "validation", forces);
  const ModelDescription& model = initial ? initial->description : config.model;
  Plan plan{config, make_training_set(frames, validation, config.validation_fraction, model, config.seed), {},
            config.family_decay.value_or(initial ? 0.0 : k_family_decay)};
  if (initial) {
    check_species(initial->description, frames, "training");
    plan.start = *initial;
    plan.start.description.uncertainty_scale = 1.0;
    if (config.shift_references)
      shift_references(plan.start.description, *make_potential(*initial, options_of(config)), plan.set.training);
  } else {
    if (!config.model.elements.empty()) {
      ModelDescription named = config.model;
      check_species(named, frames, "training");
    }
    const ModelDescription description = with_statistics(config.model, plan.set.training, config.atomic_energies, config.references);
    validate(description);
    plan.start = initial_model(description, config.seed);
  }
  check_species(plan.start.description, plan.set.validation, "validation");
  return plan;
}

std::string weights_text(const LossWeights& w) {
  std::string text;
  for (const double value : {w.energy, w.forces, w.stress, w.energy_delta, w.force_delta, w.stress_delta}) text += format_double(value) + " ";
  return text;
}

std::string weights_text(const LabelWeights& w) {
  return w == LabelWeights{} ? "" : format_double(w.energy) + " " + format_double(w.forces) + " " + format_double(w.stress);
}

/// Bytes of a structure and its labels.
std::string content_of(const Frame& frame) {
  std::string text = frame.structure.content_hash();
  const Labels& labels = frame.labels;
  if (const auto energy = labels.consistent_energy()) text += format_double(*energy);
  if (labels.forces)
    text.append(reinterpret_cast<const char*>(labels.forces->data()), static_cast<std::size_t>(labels.forces->size()) * 8);
  if (labels.stress) text.append(reinterpret_cast<const char*>(labels.stress->data()), 72);
  return text;
}

/// Hash of all that decides the result.
std::string identity(const Plan& plan) {
  const TrainConfig& c = plan.config;
  std::string text = to_json(plan.start.description) + weights_text(c.weights) + weights_text(c.last_stage) + c.dtype;
  for (const double value : {c.last_stage_fraction, c.learning_rate, c.weight_decay, plan.family_decay, c.ema_decay, c.gradient_clip})
    text += format_double(value) + " ";
  for (const std::int64_t value : {std::int64_t{c.batch_size}, c.steps, static_cast<std::int64_t>(c.seed),
                                   std::int64_t{c.validations}, std::int64_t{c.first_cycle}})
    text += std::to_string(value) + " ";
  for (const TrainingFrame& frame : plan.set.training) text += content_of(frame.frame) + weights_text(frame.weights);
  // They choose the cycle that the run ends with.
  text += "validation";
  for (const Frame& frame : plan.set.validation) text += content_of(frame);
  for (const Tensor& tensor : plan.start.tensors) text += tensor.bytes;
  // The engines differ by rounding, and a resumed run has to end in the same bits.
  if (c.engine != "torch") text += "fused";
  return hash_hex(text);
}

/// Frames of one step: places [step·B, (step + 1)·B) in the endless row of one permutation per epoch.
std::vector<const TrainingFrame*> batch_of(const Plan& plan, std::int64_t step) {
  const auto n = static_cast<std::int64_t>(plan.set.training.size());
  const std::int64_t size = std::min<std::int64_t>(plan.config.batch_size, n);
  std::vector<const TrainingFrame*> batch;
  std::int64_t known_epoch = -1;
  std::vector<std::size_t> order(static_cast<std::size_t>(n));
  for (std::int64_t place = step * size; place < (step + 1) * size; ++place) {
    if (const std::int64_t epoch = place / n; epoch != known_epoch) {
      known_epoch = epoch;
      std::iota(order.begin(), order.end(), std::size_t{0});
      Philox random(plan.config.seed, streams::k_training, static_cast<std::uint64_t>(epoch), 0);
      for (std::size_t k = order.size(); k > 1; --k) std::swap(order[k - 1], order[random.below(k)]);
    }
    batch.push_back(&plan.set.training[order[static_cast<std::size_t>(place % n)]]);
  }
  return batch;
}

/// Whether frames have anything that a model could be better or worse at.
bool can_judge(std::span<const Frame> frames) {
  return std::ranges::any_of(frames, [](const Frame& frame) { return frame.labels.consistent_energy() || frame.labels.forces; });
}

/// One run: the model, the optimiser and the average of its parameters.
class Run {
 public:
  Run(const Plan& plan, std::string id)
      : plan_(plan),
        model_(make_trainable(plan.start, options_of(plan.config))),
        optimizer_(model_->layout(), plan.config.weight_decay, plan.config.threads),
        families_(model_->layout(), plan.start.description.elements, plan.family_decay),
        cycles_(cycles(plan.config.steps, can_judge(plan.set.validation) ? first_cycle(plan) : 0)) {
    std::size_t size = 0;
    for (const ParameterBlock& block : model_->layout()) size += block.size;
    gradient_.resize(size);
    state_.run = std::move(id);
    state_.steps = plan.config.steps;
    state_.parameters.resize(size);
    model_->get_parameters(state_.parameters);
    state_.average = state_.parameters;
    state_.optimizer = optimizer_.start();
  }

  std::int64_t step() const { return state_.optimizer.step; }
  double learning_rate() const { return learning_rate_at(step(), cycle_at(cycles_, step()), plan_.config.learning_rate); }
  bool ends_cycle() const { return step() > 0 && cycle_at(cycles_, step() - 1).end == step(); }
  bool has_several_cycles() const { return cycles_.size() > 1; }

  double advance() {
    const TrainConfig& c = plan_.config;
    const auto batch = batch_of(plan_, step());
    const bool last_stage = is_last_stage(step(), cycle_at(cycles_, step()), c.last_stage_fraction);
    model_->set_parameters(state_.parameters);
    const double loss = batches_.loss_gradient(*model_, batch, last_stage ? c.last_stage : c.weights, gradient_);
    const double norm = clip(gradient_, c.gradient_clip);
    if (!std::isfinite(loss) || !std::isfinite(norm))
      throw NumericsError("training diverged at step " + std::to_string(step()) +
                          ": the loss is not finite; lower learning_rate, or look for wrong labels");
    const double rate = learning_rate();
    optimizer_.step(state_.optimizer, state_.parameters, gradient_, rate);
    families_.step(state_.parameters, rate);
    update_average(state_.average, state_.parameters, step(), c.ema_decay);
    return loss;
  }

  ModelFile averaged_model() { return model_with(state_.average); }

  /// The model that the run ends with: that of the best cycle where there were several, else the last.
  ModelFile chosen_model() { return model_with(state_.best.empty() ? state_.average : state_.best); }

  /// Remembers the averaged parameters where their score is the best so far. One that is not finite is worse than all others.
  void judge(double score) {
    if (!std::isfinite(score)) score = std::numeric_limits<double>::max();
    if (state_.best.empty() || score < state_.best_score) {
      state_.best = state_.average;
      state_.best_score = score;
      state_.stale = 0;
    } else {
      ++state_.stale;
    }
  }

  bool got_worse() const { return state_.stale > 0; }

  /// What a checkpoint has to hold.
  const TrainingState& state() {
    state_.batch_parts = batches_.parts();
    return state_;
  }

  void restore(TrainingState state) {
    state_ = std::move(state);
    batches_.set_parts(state_.batch_parts);
  }

 private:
  static std::int64_t first_cycle(const Plan& plan) {
    const auto n = static_cast<std::int64_t>(plan.set.training.size());
    return plan.config.first_cycle * n / std::min<std::int64_t>(plan.config.batch_size, n);
  }

  ModelFile model_with(const std::vector<double>& parameters) {
    model_->set_parameters(parameters);
    return model_->to_model_file({});
  }

  const Plan& plan_;
  std::unique_ptr<Trainable> model_;
  Optimizer optimizer_;
  FamilyDecay families_;
  std::vector<Cycle> cycles_;
  SplitBatch batches_;
  std::vector<double> gradient_;
  TrainingState state_;
};

void resume(Run& run, const std::filesystem::path& path) {
  if (path.empty()) return;
  auto state = read_checkpoint(path);
  if (!state) return;
  if (state->steps != run.state().steps)
    throw FormatError(fmt::format("{}: the training that this checkpoint is of was to take {} steps, and not {}: ask for as many to go on "
                                  "with it, or remove it", path.string(), state->steps, run.state().steps));
  if (state->run != run.state().run)
    throw FormatError(path.string() + ": this checkpoint belongs to another training (other frames, version of tamiz, configuration or "
                      "initial model): remove it, or name another file");
  run.restore(std::move(*state));
}

void validate_now(const Plan& plan, Run& run, bool judge, Metrics& metrics) {
  const auto potential = make_potential(run.averaged_model(), options_of(plan.config));
  const ErrorSummary errors = evaluate_errors(*potential, plan.set.validation);
  if (judge) run.judge(errors.score);
  const nlohmann::json line{{"step", run.step()}, {"validation", nlohmann::json::parse(json_text(errors))}};
  metrics.write(line.dump());
}

/// Steps until the end, until a cycle is not better or until the caller wants to stop; false where the caller stopped it.
bool advance_all(const Plan& plan, Run& run, const TrainCallbacks& callbacks) {
  Metrics metrics(callbacks.metrics, run.step());
  const std::int64_t steps = plan.config.steps, validate_every = std::max<std::int64_t>(1, steps / plan.config.validations);
  auto shown = Clock::now() - std::chrono::hours(1);
  while (run.step() < steps && !run.got_worse()) {
    if (callbacks.should_stop && callbacks.should_stop()) {
      if (!callbacks.checkpoint.empty()) write_checkpoint(callbacks.checkpoint, run.state());
      return false;
    }
    const double rate = run.learning_rate();
    const double loss = run.advance();
    const std::int64_t step = run.step();
    if (step % k_metrics_every == 0 || step == steps) {
      const nlohmann::json line{{"step", step}, {"loss", loss}, {"learning_rate", rate}};
      metrics.write(line.dump());
    }
    const bool judged = run.has_several_cycles() && run.ends_cycle();
    const bool shown_now = metrics.wanted() && step % validate_every == 0 && !plan.set.validation.empty();
    if (judged || shown_now) validate_now(plan, run, judged, metrics);
    if (!callbacks.checkpoint.empty() && (step % k_checkpoint_every == 0 || step == steps))
      write_checkpoint(callbacks.checkpoint, run.state());
    if (callbacks.progress && (step == steps || Clock::now() - shown >= std::chrono::seconds(1))) {
      callbacks.progress(step, steps, loss);
      shown = Clock::now();
    }
  }
  return true;
}

/// What training takes of the memory is given back before the model is judged.
TrainResult run_to_end(const Plan& plan, const TrainCallbacks& callbacks) {
  Run run(plan, identity(plan));
  resume(run, callbacks.checkpoint);
  // From the first step on a run that is killed knows how many steps it was to take.
  if (!callbacks.checkpoint.empty() && run.step() == 0) write_checkpoint(callbacks.checkpoint, run.state());
  TrainResult result;
  result.finished = advance_all(plan, run, callbacks);
  result.steps = run.step();
  result.stopped_early = result.finished && result.steps < plan.config.steps;
  result.model = run.chosen_model();
  return result;
}

/// What the initial model says of its own training is not true of this one.
ModelCard card_of(const Plan& plan, const std::optional<ModelFile>& initial, std::int64_t steps) {
  ModelCard card = initial ? initial->card : ModelCard{};
  card.entries.erase("training_files_xxh3");
  card.entries["training_frames"] = std::to_string(plan.set.training.size());
  card.entries["training_steps"] = std::to_string(steps);
  card.entries["training_seed"] = std::to_string(plan.config.seed);
  return card;
}

}  // namespace

TrainResult train(const TrainConfig& config, std::span<const Frame> frames, const std::optional<ModelFile>& initial,
                  const TrainCallbacks& callbacks, std::span<const Frame> validation) {
  const Plan plan = make_plan(config, frames, initial, validation);
  for (const std::string& warning : label_warnings(frames)) log::warning_once("training frames: " + warning);
  TrainResult result = run_to_end(plan, callbacks);
  result.model.card = card_of(plan, initial, result.steps);
  if (!result.finished) return result;
  const auto potential = make_potential(result.model, options_of(config));
  if (!plan.set.validation.empty()) result.validation = evaluate_errors(*potential, plan.set.validation);
  if (potential->capabilities().n_members > 1) {
    const std::optional<double> scale = calibrated_scale(CommitteeErrors(*potential, plan.set.validation));
    if (!scale)
      log::warning_once("fewer than five validation frames with energies: the uncertainty is not calibrated, and the model "
                        "offers none");
    result.model.description.uncertainty_scale = scale.value_or(0.0);
  }
  std::vector<Frame> trained;
  for (const TrainingFrame& frame : plan.set.training) trained.push_back(frame.frame);
  result.training = evaluate_errors(*potential, trained);
  return result;
}

std::int64_t steps_within(const TrainConfig& config, std::span<const Frame> frames,
                          const std::optional<ModelFile>& initial, std::span<const Frame> validation, double minutes,
                          const std::function<bool()>& should_stop) {
  if (!std::isfinite(minutes) || minutes <= 0.0) throw UnitError("minutes must be positive");
  constexpr std::int64_t k_warm = 2, k_timed = 12, k_least = 50;
  // Validation, checkpoints and the closing evaluation take the rest.
  constexpr double k_share = 0.95;
  const Plan plan = make_plan(config, frames, initial, validation);
  Run run(plan, {});
  const auto advance = [&](std::int64_t steps) {
    for (std::int64_t k = 0; k < steps && !(should_stop && should_stop()); ++k) run.advance();
  };
  advance(k_warm);
  const auto begin = Clock::now();
  advance(k_timed);
  const double per_step = std::chrono::duration<double>(Clock::now() - begin).count() / k_timed;
  return std::max(k_least, static_cast<std::int64_t>(k_share * 60.0 * minutes / per_step));
}

}  // namespace tamiz
