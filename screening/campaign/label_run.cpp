#include "tamiz/screening/campaign/label_run.hpp"

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/log.hpp"
#include "tamiz/core/base/progress.hpp"
#include "tamiz/core/base/version.hpp"
#include "tamiz/screening/oracle/label_json.hpp"

namespace tamiz {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double k_poll = 1.0;                        // [s]
constexpr auto k_cost_interval = std::chrono::seconds(10);
/// Requests handed to the oracle for each of its workers: one to work on and one to go on with at once.
constexpr int k_ahead = 2;

/// The keys of labels do not say who calculated them, so one ledger holds the labels of one oracle.
void check_same_oracle(Ledger& ledger, const Oracle& oracle) {
  for (const nlohmann::json& record : ledger.records()) {
    if (record.at("kind") != "labels") continue;
    if (record.at("oracle") == oracle.name()) return;
    throw FormatError(fmt::format("{} holds labels by the oracle {}, not by {}: choose another ledger",
                                  ledger.path().string(), record.at("oracle").get<std::string>(), oracle.name()));
  }
  ledger.append({{"kind", "labels"}, {"oracle", oracle.name()}, {"version", version()}, {"commit", commit()}});
}

class Runner {
 public:
  Runner(Oracle& oracle, Ledger& ledger, std::span<const LabelRequest> requests, bool retry_failed)
      : oracle_(oracle), ledger_(ledger), requests_(requests), progress_("labels", requests.size()) {
    run_.results.resize(requests.size());
    collect_known(retry_failed);
  }

  LabelRun run(const std::function<bool()>& stop) {
    submit_more();
    while (!running_.empty()) {
      if (stop()) {
        give_up();
        return std::move(run_);
      }
      for (auto& [ticket, result] : oracle_.poll(k_poll)) keep(ticket, std::move(result));
      submit_more();
      note_costs();
    }
    run_.complete = true;
    return std::move(run_);
  }

 private:
  void collect_known(bool retry_failed) {
    for (const nlohmann::json& record : ledger_.records()) {
      if (record.at("kind") != "label") continue;
      LabelResult label = label_result_from_json(record);
      if (label.status != LabelStatus::finished && retry_failed) continue;
      label.cached = true;
      label.cost = 0.0;
      known_.insert_or_assign(label.key, std::move(label));
    }
  }

  /// Answers what is known, and keeps the oracle busy with the rest.
  void submit_more() {
    const std::size_t window = static_cast<std::size_t>(k_ahead * oracle_.n_workers());
    for (; next_ < requests_.size() && running_.size() < window; ++next_) {
      const LabelRequest& request = requests_[next_];
      const std::string key = request.key();
      if (const auto found = known_.find(key); found != known_.end()) {
        answer(next_, found->second);
      } else if (const auto waiting = waiting_.find(key); waiting != waiting_.end()) {
        waiting->second.push_back(next_);
      } else {
        submit(request, key);
      }
    }
  }

  void submit(const LabelRequest& request, const std::string& key) {
    ledger_.append({{"kind", "label_started"},
                    {"id", request.id},
                    {"key", key},
                    {"task", to_string(request.task)},
                    {"level", request.level},
                    {"structure", structure_to_json(request.structure)}});
    running_.emplace(oracle_.submit(request), next_);
    waiting_[key] = {next_};
  }

  void keep(std::int64_t ticket, LabelResult result) {
    const LabelRequest& request = requests_[running_.at(ticket)];
    running_.erase(ticket);
    nlohmann::json record = label_result_to_json(result);
    record["kind"] = "label";
    record["task"] = to_string(request.task);
    record["level"] = request.level;
    ledger_.append(record);
    if (result.status != LabelStatus::finished)
      log::warning(fmt::format("label {} {}: {}", result.id, to_string(result.status), result.reason));
    run_.cost += result.cost;
    ++run_.n_calculated;
    const auto waiting = waiting_.extract(result.key);
    answer(waiting.mapped().front(), result);
    result.cached = true;
    result.cost = 0.0;
    for (std::size_t k = 1; k < waiting.mapped().size(); ++k) answer(waiting.mapped()[k], result);
    known_.insert_or_assign(result.key, std::move(result));
  }

  void answer(std::size_t index, LabelResult result) {
    result.id = requests_[index].id;
    run_.results[index] = std::move(result);
    progress_.update(++n_done_, fmt::format("{:.0f} core-seconds", run_.cost));
  }

  /// What a kill cuts off is known to within this interval.
  void note_costs() {
    if (Clock::now() - last_cost_ >= k_cost_interval) write_costs();
  }

  void write_costs() {
    last_cost_ = Clock::now();
    for (const auto& [id, cost] : oracle_.running_costs())
      ledger_.append({{"kind", "label_progress"}, {"id", id}, {"cost", cost}});
  }

  void give_up() {
    write_costs();
    for (const auto& [ticket, index] : running_) oracle_.cancel(ticket);
  }

  Oracle& oracle_;
  Ledger& ledger_;
  std::span<const LabelRequest> requests_;
  Progress progress_;
  LabelRun run_;
  std::map<std::string, LabelResult> known_;
  std::map<std::int64_t, std::size_t> running_;                  ///< request of each ticket
  std::map<std::string, std::vector<std::size_t>> waiting_;      ///< requests that a running key answers
  std::size_t next_ = 0, n_done_ = 0;
  Clock::time_point last_cost_ = Clock::now();
};

}  // namespace

LabelRun run_labels(Oracle& oracle, Ledger& ledger, std::span<const LabelRequest> requests, bool retry_failed,
                    const std::function<bool()>& stop) {
  check_same_oracle(ledger, oracle);
  return Runner(oracle, ledger, requests, retry_failed).run(stop);
}

}  // namespace tamiz
