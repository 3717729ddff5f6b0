#include "tamiz/screening/campaign/stage_label.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <tuple>
#include <utility>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/progress.hpp"
#include "tamiz/core/structure/symmetry.hpp"
#include "tamiz/screening/campaign/label_queue.hpp"
#include "tamiz/screening/oracle/label_json.hpp"
#include "tamiz/screening/oracle/make_oracle.hpp"

namespace tamiz {
namespace {

/// DFT starts from exact symmetry, so that it needs only the irreducible k-points, and from a reduced primitive
/// cell: in long thin cells plane-wave codes lose accuracy.
Structure start_for_dft(const Structure& structure) {
  try {
    return primitive_cell(symmetrized(structure, k_symmetry_tolerance), 0.1 * k_symmetry_tolerance);
  } catch (const NumericsError&) {
    return structure;
  }
}

/// The settings of a task. The steps of a relaxation are counted and not timed, so that it ends where it ended before.
std::string task_settings(const std::string& level, LabelTask task, const LabelOptions& options) {
  if (task != LabelTask::relax || options.relax_steps == 0) return level;
  nlohmann::json settings = settings_from_text(level);
  settings["relax"]["max_steps"] = options.relax_steps;
  return settings.dump();
}

LabelRequest request_of(const LabelOrder& order, int round, const LabelOptions& options, const std::string& level) {
  LabelRequest request{.id = fmt::format("{}/{}/{}", order.candidate, to_string(order.task), round),
                       .structure = order.structure,
                       .task = order.task,
                       .level = level_name(options.level),
                       .settings = task_settings(level, order.task, options),
                       .timeout = options.timeout};
  if (!order.name.empty()) request.info["name"] = order.name;
  return request;
}

bool has_no_number(const LabelRecord& label) { return label.result.status == LabelStatus::failed && label.result.trajectory.empty(); }

using Order = std::tuple<int, std::string, LabelTask>;

/// Labels by what was ordered in which round, in their order.
std::map<Order, std::vector<const LabelRecord*>> tries_by_order(const CampaignHistory& history) {
  std::map<Order, std::vector<const LabelRecord*>> tries;
  for (const LabelRecord& label : history.labels) tries[{label.round, label.candidate, label.task}].push_back(&label);
  return tries;
}

/// Tries whose end says something of the crystal.
auto n_fair(const std::vector<const LabelRecord*>& tries) {
  return std::ranges::count_if(tries, [](const LabelRecord* label) { return !is_cut_off(label->result); });
}

/// The same geometry at the same settings, labelled for another reason before, is not calculated again. One that
/// failed is, where a later round asks for it.
std::map<std::string, LabelResult> known_labels(const CampaignHistory& history) {
  std::map<std::string, LabelResult> known;
  for (const LabelRecord& label : history.labels)
    if (label.result.status == LabelStatus::finished) known.insert_or_assign(label.result.key, label.result);
  return known;
}

/// Those that take longest first, so that workers end together; labels are used in the order of their candidates' ids all
/// the same.
std::vector<LabelOrder> longest_first(std::vector<LabelOrder> orders) {
  const auto work = [](const LabelOrder& order) { return std::pair(order.task == LabelTask::relax, order.structure.size()); };
  std::stable_sort(orders.begin(), orders.end(), [&](const LabelOrder& a, const LabelOrder& b) { return work(a) > work(b); });
  return orders;
}

}  // namespace

std::string name_in_file(const Candidate& candidate) { return candidate.origin == "file" ? candidate.decoration : ""; }

std::vector<LabelOrder> orders_of(const CampaignHistory& history, int round) {
  std::vector<LabelOrder> orders;
  const RoundPrediction& prediction = history.predictions[static_cast<std::size_t>(round)];
  for (const LabelChoice& choice : history.decisions[static_cast<std::size_t>(round)]) {
    const auto found = std::ranges::find(prediction.candidates, choice.candidate, &RelaxedCandidate::candidate);
    const auto proposal = std::ranges::find(*history.candidates, choice.candidate, &Candidate::id);
    orders.push_back({choice.candidate, choice.task, start_for_dft(found->structure), name_in_file(*proposal)});
  }
  return orders;
}

std::vector<LabelOrder> open_orders(const CampaignHistory& history, std::span<const LabelOrder> orders, int round) {
  const auto all = tries_by_order(history);
  const bool all_failed_first = !all.empty() && std::ranges::all_of(all, [](const auto& entry) { return has_no_number(*entry.second.front()); });
  std::vector<LabelOrder> open;
  for (const LabelOrder& order : orders) {
    const auto found = all.find({round, order.candidate, order.task});
    const bool is_due_again = found != all.end() && all_failed_first && has_no_number(*found->second.back()) && n_fair(found->second) < 2;
    if (found == all.end() || is_due_again) open.push_back(order);
  }
  return open;
}

bool nothing_was_calculated(const CampaignHistory& history, int round) {
  if (history.labels.empty() || !std::ranges::all_of(history.labels, has_no_number)) return false;
  return std::ranges::none_of(tries_by_order(history), [&](const auto& entry) { return std::get<int>(entry.first) == round && n_fair(entry.second) > 1; });
}

bool is_cut_off(const LabelResult& result) {
  return result.reason.starts_with("worker died") || settings_from_text(result.properties).value("cut_off", false);
}

bool get_labels(Oracle& oracle, Ledger& ledger, CampaignHistory& history, std::span<const LabelOrder> orders,
                int round, const LabelOptions& options, const std::string& settings,
                const std::function<void(LabelRequest&)>& prepare, const std::function<bool()>& stop) {
  const std::vector<LabelOrder> open = longest_first(open_orders(history, orders, round));
  std::vector<LabelRequest> requests;
  for (const LabelOrder& order : open) requests.push_back(request_of(order, round, options, settings));
  std::size_t n_done = orders.size() - open.size();
  Progress progress(fmt::format("round {} labels", round), orders.size(), n_done);
  const auto show = [&] { progress.update(n_done); };
  const auto keep = [&](std::size_t index, LabelResult result) {
    LabelRecord record{round, open[index].candidate, open[index].task, std::move(result)};
    ledger.append(to_json(record));
    history.labels.push_back(std::move(record));
    ++n_done;
    show();
  };
  return run_queue({oracle, ledger, requests, known_labels(history), keep, prepare, show}, stop);
}

}  // namespace tamiz
