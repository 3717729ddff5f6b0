#pragma once

#include <filesystem>
#include <string>

namespace tamiz {

/// What labels that were cut off need to go on: one file of JSON for each, in the folder `<ledger>.unfinished`, which is
/// there only while it has any. A file goes when its label is finished, not when it failed. Used by whoever holds the lock of the ledger.
class UnfinishedLabels {
 public:
  explicit UnfinishedLabels(const std::filesystem::path& ledger);
  ~UnfinishedLabels();
  UnfinishedLabels(const UnfinishedLabels&) = delete;
  UnfinishedLabels& operator=(const UnfinishedLabels&) = delete;

  /// The last state of the label with this key (LabelRequest::key); empty where there is none that can be read.
  std::string state(const std::string& key) const;
  /// Writes a state; where that fails there is a warning only, since it costs time and no label.
  void keep(const std::string& key, const std::string& state);
  void drop(const std::string& key);

 private:
  std::filesystem::path file_of(const std::string& key) const;

  std::filesystem::path folder_;
};

}  // namespace tamiz
