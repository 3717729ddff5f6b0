#include "tamiz/screening/campaign/stage_label.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>

#include "tamiz/core/base/log.hpp"
#include "tamiz/core/base/progress.hpp"
#include "tamiz/screening/oracle/label_json.hpp"

namespace tamiz {
namespace {

constexpr double k_poll = 2.0;               // [s]
constexpr auto k_cost_interval = std::chrono::seconds(10);

LabelRequest request_of(const LabelOrder& order, int round, const LabelOptions& options, const std::string& settings) {
  return {.id = fmt::format("{}/{}/{}", order.candidate, to_string(order.task), round),
          .structure = order.structure,
          .task = order.task,
          .level = options.level,
          .settings = settings,
          .timeout = options.timeout};
}

bool has_label(const CampaignHistory& history, const LabelOrder& order, int round) {
  return std::any_of(history.labels.begin(), history.labels.end(), [&](const LabelRecord& label) {
    return label.round == round && label.candidate == order.candidate && label.task == order.task;
  });
}

/// Labels under way: their orders by ticket.
using Running = std::map<std::int64_t, LabelOrder>;

/// The same geometry at the same settings, labelled for another reason before, is not calculated again.
const LabelRecord* find_by_key(const CampaignHistory& history, const std::string& key) {
  for (const LabelRecord& label : history.labels)
    if (label.result.key == key && label.result.status == LabelStatus::finished) return &label;
  return nullptr;
}

void keep(Ledger& ledger, CampaignHistory& history, const LabelOrder& order, int round, LabelResult result) {
  if (result.status != LabelStatus::finished)
    log::warning(fmt::format("label {} {}: {}", result.id, to_string(result.status), result.reason));
  LabelRecord record{round, order.candidate, order.task, std::move(result)};
  ledger.append(to_json(record));
  history.labels.push_back(std::move(record));
}

}  // namespace

bool get_labels(Oracle& oracle, Ledger& ledger, CampaignHistory& history, std::span<const LabelOrder> orders,
                int round, const LabelOptions& options, const std::string& settings,
                const std::function<bool()>& stop) {
  Progress progress(fmt::format("round {} labels", round), orders.size());
  Running running;
  std::size_t done = 0;
  for (const LabelOrder& order : orders) {
    if (has_label(history, order, round)) {
      progress.update(++done);
      continue;
    }
    const LabelRequest request = request_of(order, round, options, settings);
    if (const LabelRecord* known = find_by_key(history, request.key())) {
      LabelResult result = known->result;
      result.id = request.id;
      result.cached = true;
      result.cost = 0.0;
      keep(ledger, history, order, round, std::move(result));
      progress.update(++done);
      continue;
    }
    ledger.append({{"kind", "label_started"}, {"id", request.id}, {"key", request.key()}});
    running.emplace(oracle.submit(request), order);
  }

  auto last_cost = std::chrono::steady_clock::now();
  while (!running.empty()) {
    if (stop()) {
      for (const auto& [ticket, order] : running) oracle.cancel(ticket);
      return false;
    }
    for (auto& [ticket, result] : oracle.poll(k_poll)) {
      keep(ledger, history, running.at(ticket), round, std::move(result));
      running.erase(ticket);
      progress.update(++done);
    }
    if (std::chrono::steady_clock::now() - last_cost < k_cost_interval) continue;
    last_cost = std::chrono::steady_clock::now();
    for (const auto& [id, cost] : oracle.running_costs())
      ledger.append({{"kind", "label_progress"}, {"id", id}, {"cost", cost}});
  }
  return true;
}

}  // namespace tamiz
