#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "tamiz/screening/campaign/ledger.hpp"
#include "tamiz/screening/oracle/oracle.hpp"

namespace tamiz {

/// Labels of many structures outside of a campaign.
struct LabelRun {
  /// One per request, in their order; missing where the run was stopped before. What was known already is
  /// marked as cached and costs nothing.
  std::vector<std::optional<LabelResult>> results;
  double cost = 0.0;         ///< core-seconds of what was calculated now
  std::size_t n_calculated = 0;
  bool complete = false;
};

/// What is asked of an oracle for a frame. The frame's info goes along, and may name its class of k-point mesh ("mesh"), for what
/// its composition cannot tell: a molecule in a box, a metal among the nitrides.
LabelRequest request_for(const Frame& frame, const std::string& id, LabelTask task, const std::string& level,
                         const std::string& settings, double timeout);

/// Gets labels through a ledger: each is appended the moment it is done, and what the ledger holds is not
/// calculated again; a failed one only with `retry_failed`. Requests of the same key are calculated once.
/// `stop` is asked every second or two; when it returns true, labels under way are given up and the run is
/// resumable. Throws FileError, OracleError; FormatError when the ledger holds labels of another oracle.
/// `prepare` is called with each request that is handed to the oracle, just before.
LabelRun run_labels(Oracle& oracle, Ledger& ledger, std::span<const LabelRequest> requests, bool retry_failed,
                    const std::function<bool()>& stop, const std::function<void(LabelRequest&)>& prepare = {});

}  // namespace tamiz
