#include "tamiz/screening/campaign/label_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/progress.hpp"
#include "tamiz/core/base/version.hpp"
#include "tamiz/screening/campaign/label_queue.hpp"
#include "tamiz/screening/oracle/label_json.hpp"

namespace tamiz {
namespace {

/// The keys of labels do not say who calculated them, so one ledger holds the labels of one oracle.
void check_same_oracle(Ledger& ledger, const Oracle& oracle) {
  for (const nlohmann::json& record : ledger.records()) {
    if (record.at("kind") == "campaign")
      throw FormatError(fmt::format("{} is the ledger of a campaign, which other labels would make unreadable: name another ledger, and take its labels with --oracle replay:{}",
                                    ledger.path().string(), ledger.path().string()));
    if (record.at("kind") != "labels") continue;
    if (record.at("oracle") == oracle.name()) return;
    throw FormatError(fmt::format("{} holds labels by the oracle {}, not by {}: choose another ledger",
                                  ledger.path().string(), record.at("oracle").get<std::string>(), oracle.name()));
  }
  ledger.append({{"kind", "labels"}, {"oracle", oracle.name()}, {"version", version()}, {"commit", commit()}});
}

std::map<std::string, LabelResult> known_labels(const Ledger& ledger, bool retry_failed) {
  std::map<std::string, LabelResult> known;
  for (const nlohmann::json& record : ledger.records()) {
    if (record.at("kind") != "label") continue;
    LabelResult label = label_result_from_json(record);
    if (label.cached || (label.status != LabelStatus::finished && retry_failed)) continue;
    known.insert_or_assign(label.key, std::move(label));
  }
  return known;
}

/// Ids with the keys of their labels: what is asked for under another id is known, but nobody finds it by that id.
std::set<std::pair<std::string, std::string>> recorded_labels(const Ledger& ledger) {
  std::set<std::pair<std::string, std::string>> recorded;
  for (const nlohmann::json& record : ledger.records())
    if (record.at("kind") == "label") recorded.emplace(record.at("id"), record.at("key"));
  return recorded;
}

nlohmann::json record_of(const LabelRequest& request, const LabelResult& result) {
  nlohmann::json record = label_result_to_json(result);
  record["kind"] = "label";
  record["task"] = to_string(request.task);
  record["level"] = request.level;
  // What was asked for, so that the ledger by itself says how every number was made, of failures too.
  record["settings"] = settings_from_text(request.settings);
  record["structure"] = structure_to_json(request.structure);
  if (!request.info.empty()) record["info"] = request.info;
  return record;
}

}  // namespace

LabelRequest request_for(const Frame& frame, const std::string& id, LabelTask task, const std::string& level,
                         const std::string& settings, double timeout) {
  LabelRequest request{.id = id, .structure = frame.structure, .task = task, .level = level, .settings = settings,
                       .info = frame.info, .timeout = timeout};
  if (const auto mesh = frame.info.find("mesh"); mesh != frame.info.end()) {
    nlohmann::json changed = nlohmann::json::parse(settings);
    changed["mesh"] = mesh->second;
    request.settings = changed.dump();
  }
  return request;
}

LabelRun run_labels(Oracle& oracle, Ledger& ledger, std::span<const LabelRequest> requests, bool retry_failed,
                    const std::function<bool()>& stop, const std::function<void(LabelRequest&)>& prepare) {
  check_same_oracle(ledger, oracle);
  LabelRun run;
  run.results.resize(requests.size());
  std::map<std::string, LabelResult> known = known_labels(ledger, retry_failed);
  const auto is_known = [&](const LabelRequest& request) { return known.contains(request.key()); };
  Progress progress("labels", requests.size(), static_cast<std::size_t>(std::count_if(requests.begin(), requests.end(), is_known)));
  std::size_t n_done = 0;
  const auto show = [&] { progress.update(n_done, fmt::format("{:.0f} core-seconds", run.cost)); };
  std::set<std::pair<std::string, std::string>> recorded = recorded_labels(ledger);
  const auto keep = [&](std::size_t index, LabelResult result) {
    const bool is_new = recorded.emplace(result.id, result.key).second;
    if (!result.cached) {
      ledger.append(record_of(requests[index], result));
      run.cost += result.cost;
      ++run.n_calculated;
    } else if (is_new && result.status == LabelStatus::finished) {
      LabelResult again = result;
      again.trajectory.clear();  // of the label that was calculated
      ledger.append(record_of(requests[index], again));
    }
    run.results[index] = std::move(result);
    ++n_done;
    show();
  };
  run.complete = run_queue({oracle, ledger, requests, std::move(known), keep, prepare, show}, stop);
  return run;
}

}  // namespace tamiz
