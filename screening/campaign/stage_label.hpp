#pragma once

#include <functional>
#include <span>
#include <vector>

#include "tamiz/screening/campaign/config.hpp"
#include "tamiz/screening/campaign/ledger.hpp"
#include "tamiz/screening/campaign/records.hpp"

namespace tamiz {

/// A label to get: who asks, and for which geometry.
struct LabelOrder {
  std::string candidate;
  LabelTask task;
  Structure structure;
  std::string name = {};  ///< of a candidate from a file, there
};

/// What its structure is called there; empty for a candidate that is from no file.
std::string name_in_file(const Candidate& candidate);

/// What a round decided on, at the geometries of its prediction.
std::vector<LabelOrder> orders_of(const CampaignHistory& history, int round);

/// Whether all labels that there are failed before a single energy, and none of this round twice: that is the fault of a machine, not of crystals.
bool nothing_was_calculated(const CampaignHistory& history, int round);

/// Whether the end of a failed label says nothing of its crystal: its worker was lost, memory or disk were full. Labels of earlier ledgers say so by
/// their reason alone.
bool is_cut_off(const LabelResult& result);

/// Those that round `round` has no label of yet; where all first tries that there are failed before a single energy, also those that were not
/// tried twice.
std::vector<LabelOrder> open_orders(const CampaignHistory& history, std::span<const LabelOrder> orders, int round);

/// Gets the labels of one round that the ledger does not hold yet, and appends each to the ledger the
/// moment it arrives. A label that fails or times out is recorded with its reason and is not tried again.
/// Costs of running labels are noted every few seconds, so that what a kill cuts off is still counted.
/// `prepare` is called with each request that is handed to the oracle, just before. Returns false when `stop` asked to end before all were there; running labels are then given up.
bool get_labels(Oracle& oracle, Ledger& ledger, CampaignHistory& history, std::span<const LabelOrder> orders,
                int round, const LabelOptions& options, const std::string& settings,
                const std::function<void(LabelRequest&)>& prepare, const std::function<bool()>& stop);

}  // namespace tamiz
