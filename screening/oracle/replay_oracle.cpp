#include "tamiz/screening/oracle/replay_oracle.hpp"

#include <algorithm>
#include <map>
#include <utility>

#include "tamiz/screening/oracle/stored_labels.hpp"

namespace tamiz {
namespace {

using Results = std::vector<std::pair<std::int64_t, LabelResult>>;

class ReplayOracle : public Oracle {
 public:
  explicit ReplayOracle(const std::filesystem::path& ledger_or_folder) {
    for (LabelResult& label : read_stored_labels(ledger_or_folder)) keep(std::move(label));
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
  /// One answer for a key, whenever it is asked for, so that a resumed run hears what an uninterrupted one
  /// does: the first that was calculated and finished, else the first that was calculated.
  void keep(LabelResult label) {
    if (label.cached || label.status == LabelStatus::cancelled) return;
    const auto [stored, is_new] = by_key_.try_emplace(label.key, label);
    if (!is_new && stored->second.status != LabelStatus::finished && label.status == LabelStatus::finished)
      stored->second = std::move(label);
  }

  LabelResult answer(const LabelRequest& request) const {
    LabelResult result;
    result.key = request.key();
    result.reason = "not in the replay set";
    if (const auto found = by_key_.find(result.key); found != by_key_.end()) result = found->second;
    result.id = request.id;
    return result;
  }

  std::map<std::string, LabelResult> by_key_;
  Results ready_;
  std::int64_t next_ticket_ = 0;
};

}  // namespace

std::unique_ptr<Oracle> make_replay_oracle(const std::filesystem::path& ledger_or_folder) {
  return std::make_unique<ReplayOracle>(ledger_or_folder);
}

}  // namespace tamiz
