#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>

#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/core/structure/frame.hpp"

namespace tamiz {

/// Structure s of a running simulation as a frame: energy, forces, velocities (array "velocities" [Å/fs]) and the
/// step (info "step"), all to the last bit.
Frame trajectory_frame(const Batch& batch, const State& state, const Prediction& prediction, std::size_t s = 0);

/// The state that a frame of `trajectory_frame` holds. Throws FormatError where velocities or step are missing.
State state_of(const Frame& frame);

/// A growing file of frames in extended XYZ. Every frame is on the disk when `append` returns, so a run that is
/// killed loses none that it reported.
class Trajectory {
 public:
  /// Starts a new file. Throws FileError, also when the file exists already: results are not overwritten.
  static Trajectory create(const std::filesystem::path& path);
  /// Opens a file to go on behind its last whole frame, which is left in `last`; what follows it (a frame that was
  /// being written when the program was killed) is cut off by the first `append`, so that a file which turns out to be another keeps all.
  /// Throws FileError, FormatError.
  static Trajectory resume(const std::filesystem::path& path, std::optional<Frame>& last);

  /// Writes and syncs. Throws FileError, for a full disk too; the file then ends in a torn frame.
  void append(const Frame& frame);

  Trajectory(Trajectory&&) noexcept;
  Trajectory& operator=(Trajectory&&) noexcept;
  ~Trajectory();

 private:
  struct Impl;
  explicit Trajectory(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace tamiz
