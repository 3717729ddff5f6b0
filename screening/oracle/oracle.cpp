#include "tamiz/screening/oracle/oracle.hpp"

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/hash.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/screening/oracle/label_json.hpp"

namespace tamiz {
namespace {

template <class Value>
using Names = std::vector<std::pair<Value, std::string>>;

const Names<LabelTask>& task_names() {
  static const Names<LabelTask> names{
      {LabelTask::single_point, "single_point"}, {LabelTask::relax, "relax"}, {LabelTask::gap, "gap"}};
  return names;
}

const Names<LabelStatus>& status_names() {
  static const Names<LabelStatus> names{{LabelStatus::finished, "finished"},
                                        {LabelStatus::failed, "failed"},
                                        {LabelStatus::timed_out, "timed_out"},
                                        {LabelStatus::cancelled, "cancelled"}};
  return names;
}

template <class Value>
std::string_view name_of(const Names<Value>& names, Value value) {
  for (const auto& [candidate, name] : names)
    if (candidate == value) return name;
  throw FormatError("a value of an enumeration has no name");
}

template <class Value>
Value value_of(const Names<Value>& names, std::string_view text, const std::string& what) {
  std::vector<std::string> known;
  std::string list;
  for (const auto& [value, name] : names) {
    if (name == text) return value;
    known.push_back(name);
    list += (list.empty() ? "" : ", ") + name;
  }
  const std::string nearest = nearest_name(text, known);
  throw FormatError("unknown " + what + " " + std::string(text) + ", expected one of " + list +
                    (nearest.empty() ? "" : "; did you mean " + nearest + "?"));
}

}  // namespace

std::string_view to_string(LabelTask task) { return name_of(task_names(), task); }
LabelTask label_task_from(std::string_view text) { return value_of(task_names(), text, "task"); }

std::string_view to_string(LabelStatus status) { return name_of(status_names(), status); }
LabelStatus label_status_from(std::string_view text) { return value_of(status_names(), text, "label status"); }

std::string LabelRequest::key() const {
  return hash_hex(structure.content_hash() + '\n' + std::string(to_string(task)) + '\n' +
                  settings_from_text(settings).dump());
}

}  // namespace tamiz
