#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tamiz/core/structure/frame.hpp"

namespace tamiz {

enum class LabelTask {
  single_point,  ///< energy, forces, stress at the given geometry
  relax,         ///< positions and cell to the thresholds, then the same
  gap,           ///< band gap at the given geometry
};
std::string_view to_string(LabelTask task);
LabelTask label_task_from(std::string_view text);

/// What to calculate and how. `settings` is part of the cache key, as canonical JSON.
struct LabelRequest {
  std::string id;         ///< who asks: "c0007/relax/2"
  Structure structure;
  LabelTask task = LabelTask::single_point;
  std::string level;      ///< name of the settings, "pbe-600g"
  std::string settings;   ///< JSON object handed to the worker
  std::map<std::string, std::string> info = {};  ///< what else is known of it ("parents", ...), kept with the label; not in the key
  double timeout = 0.0;   ///< CPU time [core-seconds], and ten times as much on the clock [s]; 0: none
  /// Second derivatives of the energy by a model, with which a relaxation begins (core/analysis/curvature.hpp); empty: none. Not in the key.
  Eigen::MatrixXd curvature = {};
  std::string state = {};  ///< JSON object that an attempt which was cut off had kept; empty: none. Not in the key

  /// Key of the cache: hash of structure, task and settings.
  std::string key() const;
};

enum class LabelStatus { finished, failed, timed_out, cancelled };
std::string_view to_string(LabelStatus status);
LabelStatus label_status_from(std::string_view text);

struct LabelResult {
  std::string id;
  std::string key;
  LabelStatus status = LabelStatus::failed;
  std::string reason;               ///< why it failed
  std::optional<Frame> frame;       ///< final geometry with labels, when finished
  std::vector<Frame> trajectory;    ///< the other geometries that a relaxation computed, each labelled
  /// Anything else the worker says, JSON: "gap", "gap_direct", "gap_level", "kpoints", "version", ...
  std::string properties = "{}";
  double cost = 0.0;                ///< [core-seconds], also for failures
  bool cached = false;
};

/// Something that labels structures. A label may fail; its cost is recorded either way.
class Oracle {
 public:
  virtual ~Oracle() = default;
  virtual std::string name() const = 0;
  /// Version of the code behind it; empty where it is not known.
  virtual std::string version() const { return ""; }
  /// How many requests run side by side.
  virtual int n_workers() const = 0;
  /// Queues a request; returns at once with its ticket.
  virtual std::int64_t submit(const LabelRequest& request) = 0;
  /// Waits up to `timeout` [s] for results; returns those that are done, each exactly once.
  virtual std::vector<std::pair<std::int64_t, LabelResult>> poll(double timeout) = 0;
  virtual void cancel(std::int64_t ticket) = 0;
  /// CPU time so far of the labels under way: request id and core-seconds. Empty where it is not known.
  virtual std::vector<std::pair<std::string, double>> running_costs() { return {}; }
  /// By ticket, what labels need to go on if they are cut off (LabelRequest::state), where it changed since the last call: of those
  /// under way, and of those that the last `poll` gave back without their being finished.
  virtual std::vector<std::pair<std::int64_t, std::string>> new_states() { return {}; }
};

}  // namespace tamiz
