#pragma once

#include <filesystem>
#include <functional>
#include <memory>

#include "tamiz/screening/campaign/config.hpp"
#include "tamiz/screening/campaign/ledger.hpp"
#include "tamiz/screening/campaign/records.hpp"

namespace tamiz {

/// Runs the stages over candidates within a budget. Everything it knows is in the ledger of its folder:
/// after any kill, opening the folder again goes on where the last whole record ends. What happens next is
/// a function of the configuration and the labels alone, never of the clock or the order of arrival.
class Campaign {
 public:
  enum class End { finished, stopped };

  /// Starts a campaign in `folder`, or goes on with the one in it when `resume`. Throws FileError when
  /// the folder holds a campaign and `resume` is false, or another process runs it; FormatError when the
  /// folder's campaign was started from another configuration, or is unfinished and what it began with (model,
  /// training labels, level, competing phases) has changed since.
  /// `threads` of relaxation and training, and DFT workers where the configuration does not say how many;
  /// 0: what the machine grants.
  Campaign(CampaignConfig config, std::filesystem::path folder, bool resume, int threads = 0);
  ~Campaign();

  /// Runs to the end, or until `stop` returns true: then the ledger is whole and the campaign resumable.
  /// Writes report.html, ranking and structures at the end. `oracle_override` replaces the configured
  /// oracle (a replay, in tests).
  End run(const std::function<bool()>& stop, std::unique_ptr<Oracle> oracle_override = nullptr);

  const CampaignHistory& history() const;
  const std::filesystem::path& folder() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The ledger of a run folder. Throws FileError where there is none.
std::filesystem::path ledger_of_run(const std::filesystem::path& run_folder);

/// Everything that the report shows of a finished or running campaign, from its ledger alone and without its
/// lock (schema in screening/report/README.md). Throws FileError, FormatError.
nlohmann::json summarize_run(const std::filesystem::path& run_folder);

/// Writes the report of a finished or running campaign again from its ledger alone.
void rewrite_report(const std::filesystem::path& run_folder);

}  // namespace tamiz
