#include "tamiz/screening/oracle/replay_oracle.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "tamiz/screening/oracle/stored_labels.hpp"

namespace tamiz {
namespace {

using Results = std::vector<std::pair<std::int64_t, LabelResult>>;

/// What an answer is found by: the request's key, or its task and name. Candidates of a campaign have names beside their ids, frames of a file have ids only.
std::string key_of(const StoredLabel& label) { return label.result.key; }
std::string key_of(const LabelRequest& request) { return request.key(); }
std::string name_of(LabelTask task, const std::string& name) { return std::string(to_string(task)) + " " + name; }
std::string name_of(const StoredLabel& label) { return label.task ? name_of(*label.task, label.result.id) : ""; }
std::string name_of(const LabelRequest& request) {
  const auto name = request.info.find("name");
  return name_of(request.task, name != request.info.end() ? name->second : request.id);
}

class ReplayOracle : public Oracle {
 public:
  ReplayOracle(const std::filesystem::path& ledger_or_folder, bool by_name) : by_name_(by_name) {
    for (StoredLabel& label : read_stored_labels(ledger_or_folder)) {
      std::string found_by = by_name ? name_of(label) : key_of(label);
      if (!found_by.empty()) keep(std::move(found_by), std::move(label.result));
    }
  }

  std::string name() const override { return "replay"; }
  int n_workers() const override { return 1; }

  std::int64_t submit(const LabelRequest& request) override {
    ready_.emplace_back(next_ticket_, answer(request));
    return next_ticket_++;
  }

  Results poll(double) override { return std::exchange(ready_, {}); }

  void cancel(std::int64_t ticket) override {
    const auto found = std::ranges::find(ready_, ticket, &Results::value_type::first);
    if (found == ready_.end()) return;
    LabelResult cancelled;
    cancelled.id = found->second.id;
    cancelled.key = found->second.key;
    cancelled.status = LabelStatus::cancelled;
    cancelled.reason = "cancelled";
    found->second = std::move(cancelled);
  }

 private:
  /// One answer for a key or name, whenever it is asked for, so that a resumed run hears what an uninterrupted one
  /// does: the first that was calculated and finished, else the first that was calculated.
  void keep(std::string found_by, LabelResult label) {
    // By its key a label is found where it was calculated; a name may have nothing but another's label.
    if ((label.cached && !by_name_) || label.status == LabelStatus::cancelled) return;
    const auto [stored, is_new] = answers_.try_emplace(std::move(found_by), label);
    if (!is_new && stored->second.status != LabelStatus::finished && label.status == LabelStatus::finished)
      stored->second = std::move(label);
  }

  LabelResult answer(const LabelRequest& request) const {
    LabelResult result;
    result.reason = "not in the replay set";
    if (const auto found = answers_.find(by_name_ ? name_of(request) : key_of(request)); found != answers_.end())
      result = found->second;
    result.id = request.id;
    result.key = request.key();
    return result;
  }

  bool by_name_;
  std::map<std::string, LabelResult> answers_;
  Results ready_;
  std::int64_t next_ticket_ = 0;
};

}  // namespace

std::unique_ptr<Oracle> make_replay_oracle(const std::filesystem::path& ledger_or_folder) {
  return std::make_unique<ReplayOracle>(ledger_or_folder, false);
}

std::unique_ptr<Oracle> make_named_replay_oracle(const std::filesystem::path& ledger_or_folder) {
  return std::make_unique<ReplayOracle>(ledger_or_folder, true);
}

}  // namespace tamiz
