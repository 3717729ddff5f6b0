#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>

#include "tamiz/screening/campaign/ledger.hpp"
#include "tamiz/screening/oracle/oracle.hpp"

namespace tamiz {

/// Hands requests to an oracle, a few ahead of its workers, and their results to `answer`.
struct LabelQueue {
  Oracle& oracle;
  Ledger& ledger;                            ///< is told what was started, and what it has cost until now
  std::span<const LabelRequest> requests;
  std::map<std::string, LabelResult> known;  ///< by key: labels that are not calculated again
  /// Called once per request with its index, the moment its label is there. One that was known, or was calculated
  /// for another request of the same key, is marked as cached and costs nothing.
  std::function<void(std::size_t, LabelResult)> answer;
  std::function<void(LabelRequest&)> prepare = {};  ///< called with what is handed to the oracle, just before
  std::function<void()> waiting;  ///< called about every second while the oracle works
};

/// Returns false when `stop`, asked every second, said to end before all were answered: labels under way are given up
/// and their cost is noted. Throws FileError, OracleError.
bool run_queue(LabelQueue queue, const std::function<bool()>& stop);

}  // namespace tamiz
