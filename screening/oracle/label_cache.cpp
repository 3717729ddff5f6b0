#include "tamiz/screening/oracle/label_cache.hpp"

#include "tamiz/screening/oracle/stored_labels.hpp"

namespace tamiz {

void LabelCache::add(const LabelResult& label) {
  if (label.status == LabelStatus::finished) by_key_.try_emplace(label.key, label);
}

void LabelCache::add_stored(const std::filesystem::path& ledger_or_folder) {
  for (const StoredLabel& label : read_stored_labels(ledger_or_folder)) add(label.result);
}

std::optional<LabelResult> LabelCache::find(const LabelRequest& request) const {
  const auto found = by_key_.find(request.key());
  if (found == by_key_.end()) return std::nullopt;
  LabelResult result = found->second;
  result.id = request.id;
  result.cached = true;
  result.cost = 0.0;
  return result;
}

}  // namespace tamiz
