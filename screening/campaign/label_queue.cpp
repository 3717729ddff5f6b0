#include "tamiz/screening/campaign/label_queue.hpp"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <vector>

#include "tamiz/core/base/log.hpp"
#include "tamiz/screening/campaign/unfinished_labels.hpp"
#include "tamiz/screening/oracle/label_json.hpp"

namespace tamiz {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double k_poll = 1.0;                        // [s]
constexpr auto k_cost_interval = std::chrono::seconds(10);
constexpr double k_growth = 1.2;                      // of the cost of a label, from one note of it to the next
/// Requests handed to the oracle for each of its workers: one to work on and one to go on with at once.
constexpr int k_ahead = 2;

class Runner {
 public:
  explicit Runner(LabelQueue queue) : queue_(std::move(queue)), unfinished_(queue_.ledger.path()) {
    for (auto& [key, label] : queue_.known) {
      label.cached = true;
      label.cost = 0.0;
      if (label.status == LabelStatus::finished) unfinished_.drop(key);  // a kill came between its label and this
    }
  }

  bool run(const std::function<bool()>& stop) {
    submit_more();
    while (!running_.empty()) {
      if (stop()) {
        give_up();
        return false;
      }
      auto done = queue_.oracle.poll(has_more_ ? 0.0 : k_poll);
      keep_states();  // also of what ran out of time just now
      for (auto& [ticket, result] : done)
        if (running_.contains(ticket)) take(ticket, std::move(result));  // others were given up by an earlier run
      submit_more();
      queue_.waiting();
      if (Clock::now() - last_cost_ >= k_cost_interval) note_costs();
    }
    return true;
  }

 private:
  /// Answers what is known, and keeps the oracle busy with the rest.
  void submit_more() {
    const std::size_t window = static_cast<std::size_t>(k_ahead * queue_.oracle.n_workers());
    has_more_ = false;
    for (bool submitted = false; next_ < queue_.requests.size() && running_.size() < window; ++next_) {
      // What has to be prepared takes time: workers and signals do not wait for all of it.
      has_more_ = submitted && queue_.prepare != nullptr;
      if (has_more_) return;
      const LabelRequest& request = queue_.requests[next_];
      const std::string key = request.key();
      if (const auto found = queue_.known.find(key); found != queue_.known.end()) {
        answer(next_, found->second);
      } else if (const auto waiting = waiting_.find(key); waiting != waiting_.end()) {
        waiting->second.push_back(next_);
      } else {
        submit(request, key);
        submitted = true;
      }
    }
  }

  void submit(LabelRequest request, const std::string& key) {
    request.state = unfinished_.state(key);
    if (queue_.prepare) queue_.prepare(request);
    queue_.ledger.append({{"kind", "label_started"},
                          {"id", request.id},
                          {"key", key},
                          {"task", to_string(request.task)},
                          {"level", request.level},
                          {"structure", structure_to_json(request.structure)}});
    running_.emplace(queue_.oracle.submit(request), next_);
    waiting_[key] = {next_};
  }

  void take(std::int64_t ticket, LabelResult result) {
    const std::size_t index = running_.at(ticket);
    running_.erase(ticket);
    const std::string key = queue_.requests[index].key();
    noted_.erase(queue_.requests[index].id);
    if (result.status != LabelStatus::finished)
      log::warning(fmt::format("label {} {}: {}", result.id, to_string(result.status), result.reason));
    const std::vector<std::size_t> waiting = waiting_.extract(key).mapped();
    LabelResult again = result;
    again.cached = true;
    again.cost = 0.0;
    answer(waiting.front(), std::move(result));
    for (std::size_t k = 1; k < waiting.size(); ++k) answer(waiting[k], again);
    if (again.status == LabelStatus::finished) unfinished_.drop(key);  // others may be asked for again
    queue_.known.insert_or_assign(key, std::move(again));
  }

  void answer(std::size_t index, LabelResult result) {
    result.id = queue_.requests[index].id;
    queue_.answer(index, std::move(result));
  }

  /// What a kill cuts off is known to within a fifth, or to within the interval where that is more: a note of every label in every interval
  /// would fill the ledger with them.
  void note_costs() {
    last_cost_ = Clock::now();
    for (const auto& [id, cost] : queue_.oracle.running_costs()) {
      double& noted = noted_[id];
      if (cost >= noted && cost < k_growth * noted) continue;  // less than was noted: it was started again
      queue_.ledger.append({{"kind", "label_progress"}, {"id", id}, {"cost", cost}});
      noted = cost;
    }
  }

  void keep_states() {
    for (const auto& [ticket, state] : queue_.oracle.new_states())
      if (const auto found = running_.find(ticket); found != running_.end()) unfinished_.keep(queue_.requests[found->second].key(), state);
  }

  void give_up() {
    noted_.clear();
    note_costs();
    keep_states();
    for (const auto& [ticket, index] : running_) queue_.oracle.cancel(ticket);
  }

  LabelQueue queue_;
  UnfinishedLabels unfinished_;
  std::map<std::int64_t, std::size_t> running_;              ///< request of each ticket
  std::map<std::string, std::vector<std::size_t>> waiting_;  ///< requests that a running key answers
  std::size_t next_ = 0;
  bool has_more_ = false;  ///< to hand over at once
  std::map<std::string, double> noted_;                      ///< cost of a running label that the ledger has
  Clock::time_point last_cost_ = Clock::now();
};

}  // namespace

bool run_queue(LabelQueue queue, const std::function<bool()>& stop) { return Runner(std::move(queue)).run(stop); }

}  // namespace tamiz
