#include "tamiz/screening/campaign/campaign.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <ranges>
#include <set>
#include <utility>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/hash.hpp"
#include "tamiz/core/base/log.hpp"
#include "tamiz/core/base/parallel.hpp"
#include "tamiz/core/base/progress.hpp"
#include "tamiz/core/io/format.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/potentials/engine/model_file.hpp"
#include "tamiz/screening/campaign/confirmed.hpp"
#include "tamiz/screening/campaign/decide.hpp"
#include "tamiz/screening/campaign/first_labels.hpp"
#include "tamiz/screening/campaign/ranking.hpp"
#include "tamiz/screening/campaign/stage_label.hpp"
#include "tamiz/screening/campaign/stage_learn.hpp"
#include "tamiz/screening/campaign/stage_relax.hpp"
#include "tamiz/screening/campaign/stage_vibrate.hpp"
#include "tamiz/screening/campaign/start.hpp"
#include "tamiz/screening/campaign/start_curvature.hpp"
#include "tamiz/screening/campaign/summary.hpp"
#include "tamiz/screening/oracle/label_json.hpp"
#include "tamiz/screening/oracle/make_oracle.hpp"
#include "tamiz/screening/report/report.hpp"

namespace tamiz {
namespace {

constexpr const char* k_ledger = "ledger.tz";
constexpr const char* k_config = "campaign.toml";

/// Ends a stage before its record is in the ledger: it starts again, training from its checkpoint.
struct Stopped {};

}  // namespace

struct Campaign::Impl {
  CampaignConfig config;
  std::filesystem::path folder;
  int threads;
  Ledger ledger;
  CampaignHistory history;
  std::unique_ptr<Oracle> oracle;
  std::function<bool()> stop;
  bool is_new = false;  // not in the ledger yet

  Impl(CampaignConfig given, std::filesystem::path run_folder, bool resume, int n_threads);

  void begin();
  void record_start();
  void check_resumable() const;
  const CompetingSet& competing() const { return history.start->competing; }
  bool goes_on() const { return !stop(); }
  void stop_here() const {
    if (stop()) throw Stopped{};
  }
  End run();
  void propose_candidates();
  void assess(int round);
  void choose(int round);
  void start_oracle();
  bool label(int round, std::span<const LabelOrder> orders);
  void learn_from(int round);
  bool measure_gaps();
  void vibrate();
  void finish();

  const LearnRecord* adopted_before(int round) const;
  std::filesystem::path model_path(int round) const;
  const std::string& model_hash(int round) const;
  void require_same_model(int round) const;
  std::vector<Structure> starting_geometries() const;
};

Campaign::Impl::Impl(CampaignConfig given, std::filesystem::path run_folder, bool resume, int n_threads)
    : config(std::move(given)),
      folder(std::move(run_folder)),
      threads(n_threads > 0 ? n_threads : available_threads()),
      ledger(folder / k_ledger) {
  history = CampaignHistory::from_records(ledger.records());
  if (!history.start) {
    if (resume) log::info(fmt::format("{} holds no campaign yet: beginning one", folder.string()));
    begin();
    return;
  }
  if (!resume)
    throw FileError(fmt::format("{} holds a campaign already: go on with --resume, or choose another folder with -o",
                                folder.string()));
  check_resumable();
  for (const auto& path : {folder, folder / "models", folder / "structures"}) remove_unfinished_writes(path);
}

void Campaign::Impl::begin() {
  CampaignStart start = read_start(config);
  check_start(start, config);
  history.start = std::move(start);
  is_new = true;
}

/// Only what can be run holds its folder: a configuration with a code or a file of structures that is not there may be
/// mended and begun again.
void Campaign::Impl::record_start() {
  if (!std::exchange(is_new, false)) return;
  write_file_atomically(folder / k_config, config.text);
  ledger.append(to_json(*history.start));
}

/// What is finished needs nothing but its ledger; what goes on must go on with what it began with.
void Campaign::Impl::check_resumable() const {
  if (history.start->config_text != config.text)
    throw FormatError(fmt::format("the campaign in {} was started from another configuration: use {}",
                                  folder.string(), (folder / k_config).string()));
  if (history.finished) return;
  const std::vector<std::string> changes = changes_between(*history.start, read_start(config));
  if (changes.empty()) return;
  throw FormatError(fmt::format("the campaign in {} cannot go on, since the data it began with have changed: {}; put "
                                "the former data back in {}, or start a new campaign with -o",
                                folder.string(), fmt::join(changes, "; "), data_directory().string()));
}

/// What made the model that round `round` predicts with; null where it is the starting model.
const LearnRecord* Campaign::Impl::adopted_before(int round) const {
  for (auto learned = history.learned.rbegin(); learned != history.learned.rend(); ++learned)
    if (learned->adopted && learned->round < round) return &*learned;
  return nullptr;
}

std::filesystem::path Campaign::Impl::model_path(int round) const {
  const LearnRecord* adopted = adopted_before(round);
  return adopted == nullptr ? data_directory() / config.model : folder / adopted->model_file;
}

const std::string& Campaign::Impl::model_hash(int round) const {
  const LearnRecord* adopted = adopted_before(round);
  return adopted == nullptr ? history.start->model_hash : adopted->model_hash;
}

/// Hours pass between the steps of a campaign, in which another program may have written the file anew.
void Campaign::Impl::require_same_model(int round) const {
  const auto path = model_path(round);
  if (hash_hex(read_file(path)) != model_hash(round))
    throw FormatError(path.string() + " is not the model that this campaign goes on with, its hash differs: restore it "
                                      "from a copy");
}

void Campaign::Impl::propose_candidates() {
  if (history.candidates) return;
  log::info("proposing candidates");
  const Proposal proposal = propose(config.propose);
  if (proposal.candidates.empty())
    throw Error("no candidate was left: allow more prototypes, more atoms or more systems in [propose]");
  record_start();
  nlohmann::json record{{"kind", "proposed"}, {"candidates", nlohmann::json::array()}};
  for (const Candidate& candidate : proposal.candidates) record["candidates"].push_back(to_json(candidate));
  for (const Rejection& rejection : proposal.rejections)
    record["rejections"].push_back({{"what", rejection.what}, {"reason", rejection.reason}});
  ledger.append(record);
  history.candidates = proposal.candidates;
  history.rejections = proposal.rejections;
  log::info(fmt::format("{} distinct candidates, {} rejected", proposal.candidates.size(), proposal.rejections.size()));
}

/// The last geometry of each candidate; the proposal where the model lost it.
std::vector<Structure> Campaign::Impl::starting_geometries() const {
  std::vector<Structure> geometries;
  for (std::size_t k = 0; k < history.candidates->size(); ++k) {
    const bool has_last = !history.predictions.empty() && history.predictions.back().candidates[k].outcome != "failed";
    geometries.push_back(has_last ? history.predictions.back().candidates[k].structure
                                  : (*history.candidates)[k].structure);
  }
  return geometries;
}

void Campaign::Impl::assess(int round) {
  if (static_cast<int>(history.predictions.size()) > round) return;
  require_same_model(round);
  const auto path = model_path(round);
  const std::string& hash = model_hash(round);
  // What this campaign found competes with what it finds next.
  std::vector<CompetingPhase> phases = competing().phases;
  std::ranges::move(confirmed_phases(history), std::back_inserter(phases));
  if (!history.predictions.empty() && history.predictions.back().model_hash == hash && history.predictions.back().competing.size() == phases.size()) {
    // Neither the model changed nor the hull, so neither does what they say.
    RoundPrediction same = history.predictions.back();
    same.round = round;
    ledger.append(to_json(same));
    history.predictions.push_back(std::move(same));
    return;
  }
  log::info(fmt::format("round {}: relaxing {} candidates with {}", round, history.candidates->size(),
                        path.filename().string()));
  const auto potential = load_potential(path, {.threads = threads});
  const std::vector<Structure> start = starting_geometries();
  Progress progress(fmt::format("round {} relax", round), start.size() + phases.size());
  RoundPrediction prediction = relax_and_assess(*potential, *history.candidates, start, phases, config.relax, round,
                                                hash, [&](std::size_t done) {
                                                  progress.update(done);
                                                  stop_here();
                                                });
  ledger.append(to_json(prediction));
  history.predictions.push_back(std::move(prediction));
}

void Campaign::Impl::choose(int round) {
  if (static_cast<int>(history.decisions.size()) > round) return;
  std::vector<LabelChoice> choices = decide(history.predictions[static_cast<std::size_t>(round)], history,
                                            competing(), config.decide);
  nlohmann::json record{{"kind", "decision"}, {"round", round}, {"choices", nlohmann::json::array()}};
  for (const LabelChoice& choice : choices) record["choices"].push_back(to_json(choice));
  ledger.append(record);
  history.decisions.push_back(std::move(choices));
}

void Campaign::Impl::start_oracle() {
  const int n_workers = config.label.workers > 0 ? config.label.workers : threads;
  if (!oracle) oracle = make_oracle(config.label.oracle, n_workers, folder / "workers");
  require_version(*oracle, history.start->settings);
}

bool Campaign::Impl::label(int round, std::span<const LabelOrder> orders) {
  if (open_orders(history, orders, round).empty()) return true;
  start_oracle();
  const bool relaxes = !config.label.oracle.starts_with("replay") &&
                       std::ranges::any_of(orders, [](const LabelOrder& order) { return order.task == LabelTask::relax; });
  if (relaxes) require_same_model(round);
  const std::shared_ptr<const Potential> model = relaxes ? load_potential(model_path(round), {.threads = 1}) : nullptr;
  if (!get_labels(*oracle, ledger, history, orders, round, config.label, history.start->settings, curvature_by(model), stop)) return false;
  if (nothing_was_calculated(history, round))
    throw OracleError(fmt::format("not one label came of {}: all {} failed, the last one with: {}; mend this and go on with --resume, which asks for them once more",
                                  config.label.oracle, history.labels.size(), history.labels.back().result.reason));
  return true;
}

void Campaign::Impl::learn_from(int round) {
  if (static_cast<int>(history.learned.size()) > round) {
    std::filesystem::remove(checkpoint_of(folder, round));  // a kill came between record and removal
    return;
  }
  require_same_model(round + 1);
  if (hash_of_first_labels(config.training_files()) != history.start->training_hash)
    throw FormatError(fmt::format("the labels that the starting model was trained on are others than when this campaign began: restore {}",
                                  fmt::join(config.training, ", ")));
  require_same_model(0);
  const ModelFile current = ModelFile::read(model_path(round + 1));
  const FirstLabels first = read_first_labels(config.training_files());
  std::filesystem::create_directories(folder / "models");
  Progress progress(fmt::format("round {} train", round), static_cast<std::size_t>(config.learn.steps));
  const auto show = [&](std::int64_t step, std::int64_t, double loss) {
    progress.update(static_cast<std::size_t>(step), fmt::format("loss {:.4f}", loss));
  };
  const auto record = learn(history, ModelFile::read(model_path(0)), current, first.training, first.test, config.learn, round, config.seed, threads,
                            folder, show, stop);
  if (!record) throw Stopped{};
  log::info(fmt::format("round {}: new model {}: {}", round, record->adopted ? "adopted" : "not adopted", record->reason));
  ledger.append(to_json(*record));
  std::filesystem::remove(checkpoint_of(folder, round));
  history.learned.push_back(*record);
}

/// Gaps of the best candidates that DFT confirmed, of new semiconductors before known phases and those before metals; the labels count as
/// one more round.
bool Campaign::Impl::measure_gaps() {
  const std::vector<RankedCandidate> ranked = rank(history);
  std::vector<const RankedCandidate*> confirmed;
  for (const RankedCandidate& entry : ranked)
    if (entry.outcome == "ranked" && entry.confidence == Confidence::confirmed) confirmed.push_back(&entry);
  std::ranges::stable_sort(confirmed, {}, [](const RankedCandidate* entry) {
    return std::pair(says_metal(settings_from_text(entry->label->result.properties)), !entry->known_as.empty());
  });
  std::vector<LabelOrder> orders;
  for (const RankedCandidate* entry : confirmed | std::views::take(config.label.gaps))
    orders.push_back({entry->proposal->id, LabelTask::gap, entry->structure, name_in_file(*entry->proposal)});
  return label(config.decide.rounds, orders);
}

/// Whether the best are dynamically stable, by the last model. What there is besides is reported before.
void Campaign::Impl::vibrate() {
  std::vector<const RankedCandidate*> open;
  const std::vector<RankedCandidate> ranked = rank(history);
  for (const RankedCandidate& entry : ranked)
    if (entry.rank > 0 && entry.rank <= config.phonons.candidates && entry.vibrations == nullptr) open.push_back(&entry);
  if (open.empty()) return;
  write_report(summarize(history, folder), folder);
  const int round = config.decide.rounds;
  require_same_model(round);
  const auto potential = load_potential(model_path(round), {.threads = threads});
  Progress progress("phonons", open.size());
  for (std::size_t k = 0; k < open.size(); ++k) {
    VibrationRecord record = vibrations_of(*potential, open[k]->proposal->id, open[k]->structure, config.phonons, threads, [&] {
      progress.update(k);
      stop_here();
    });
    nlohmann::json entry = to_json(record);
    entry["kind"] = "vibrations";
    entry["model_hash"] = model_hash(round);
    ledger.append(entry);
    history.vibrations.push_back(std::move(record));
    progress.update(k + 1);
  }
}

void Campaign::Impl::finish() {
  if (!history.finished) {
    nlohmann::json ranking = nlohmann::json::array();
    for (const RankedCandidate& entry : rank(history))
      if (entry.rank > 0)
        ranking.push_back({{"rank", entry.rank},
                           {"candidate", entry.proposal->id},
                           {"status", to_string(entry.confidence)},
                           {"e_hull", entry.e_hull()}});
    ledger.append({{"kind", "finished"}, {"ranking", ranking}});
    history.finished = true;
  }
  write_report(summarize(history, folder), folder);
}

Campaign::Campaign(CampaignConfig config, std::filesystem::path folder, bool resume, int threads) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw FileError(fmt::format("cannot make the run folder {}: {}", folder.string(), error.message()));
  impl_ = std::make_unique<Impl>(std::move(config), std::move(folder), resume, threads);
}

Campaign::~Campaign() = default;

const CampaignHistory& Campaign::history() const { return impl_->history; }

const std::filesystem::path& Campaign::folder() const { return impl_->folder; }

Campaign::End Campaign::Impl::run() {
  if (history.finished) {
    finish();
    return End::finished;
  }
  for (const auto& [system, missing] : competing().missing)
    if (!missing.empty()) log::warning(fmt::format("hull of {} is incomplete, lacking {}: not ranked", system, fmt::join(missing, ", ")));

  // A code that is missing is said before hours of relaxation, not after them.
  if (!history.candidates) start_oracle();
  propose_candidates();
  for (int round = 0; round < config.decide.rounds; ++round) {
    if (!goes_on()) return End::stopped;
    assess(round);
    choose(round);
    if (!goes_on() || !label(round, orders_of(history, round))) return End::stopped;
    learn_from(round);
  }
  if (!goes_on()) return End::stopped;
  assess(config.decide.rounds);
  if (!measure_gaps()) return End::stopped;
  vibrate();
  finish();
  return End::finished;
}

Campaign::End Campaign::run(const std::function<bool()>& stop, std::unique_ptr<Oracle> oracle_override) {
  impl_->stop = stop;
  if (oracle_override) impl_->oracle = std::move(oracle_override);
  try {
    return impl_->run();
  } catch (const Stopped&) {
    return End::stopped;
  }
}

std::filesystem::path ledger_of_run(const std::filesystem::path& run_folder) {
  if (!std::filesystem::is_regular_file(run_folder / k_ledger))
    throw FileError(fmt::format("{} is no run folder: it has no {}", run_folder.string(), k_ledger));
  return run_folder / k_ledger;
}

nlohmann::json summarize_run(const std::filesystem::path& run_folder) {
  const CampaignHistory history = CampaignHistory::from_records(Ledger::read(ledger_of_run(run_folder)));
  if (!history.start) throw FormatError((run_folder / k_ledger).string() + ": the campaign was not begun, its ledger is empty");
  return summarize(history, run_folder);
}

void rewrite_report(const std::filesystem::path& run_folder) { write_report(summarize_run(run_folder), run_folder); }

}  // namespace tamiz
