#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "tamiz/screening/oracle/oracle.hpp"

namespace tamiz {

/// Finished labels by key, so that nothing is calculated twice.
class LabelCache {
 public:
  /// Keeps `label` if it is finished; the first one of a key stays.
  void add(const LabelResult& label);
  /// Adds the labels of a ledger, or of all ledgers in a folder. Throws FileError, FormatError.
  void add_stored(const std::filesystem::path& ledger_or_folder);

  /// The stored answer to a request: with its id, marked as cached, at no cost. Empty when there is none.
  std::optional<LabelResult> find(const LabelRequest& request) const;
  std::size_t size() const { return by_key_.size(); }

 private:
  std::map<std::string, LabelResult> by_key_;
};

}  // namespace tamiz
