#include "tamiz/core/simulation/trajectory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <span>
#include <string>
#include <string_view>

#include "tamiz/core/base/descriptor.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/io/extxyz.hpp"

namespace tamiz {
namespace {

const std::string k_velocities = "velocities";
const std::string k_step = "step";

/// Where the last whole frame begins and ends; both 0 where there is none.
struct Extent {
  std::size_t begin = 0, end = 0;
};

Extent last_whole_frame(std::string_view text, const std::string& name) {
  Extent extent;
  std::size_t position = 0;
  while (position < text.size()) {
    const std::size_t first_end = text.find('\n', position);
    if (first_end == std::string_view::npos) return extent;
    const long long n_atoms = parse_integer(trim(text.substr(position, first_end - position)), name + ": number of atoms");
    std::size_t end = first_end + 1;
    for (long long line = 0; line <= n_atoms; ++line) {  // the comment and the atoms
      const std::size_t line_end = text.find('\n', end);
      if (line_end == std::string_view::npos) return extent;
      end = line_end + 1;
    }
    extent = {position, end};
    position = end;
  }
  return extent;
}

}  // namespace

Frame trajectory_frame(const Batch& batch, const State& state, const Prediction& prediction, std::size_t s) {
  const auto begin = static_cast<Eigen::Index>(batch.offsets()[s]);
  const auto n = static_cast<Eigen::Index>(batch.n_atoms(s));
  Frame frame{structure_of(batch, state, s), {}, {}, {}};
  frame.labels.energy = prediction.energies[static_cast<Eigen::Index>(s)];
  if (prediction.forces.rows() > 0) frame.labels.forces = prediction.forces.middleRows(begin, n);
  if (state.velocities.rows() > 0) frame.arrays[k_velocities] = state.velocities.middleRows(begin, n);
  frame.info[k_step] = std::to_string(state.step);
  return frame;
}

State state_of(const Frame& frame) {
  const auto velocities = frame.arrays.find(k_velocities);
  const auto step = frame.info.find(k_step);
  if (velocities == frame.arrays.end() || velocities->second.cols() != 3)
    throw FormatError("the frame has no velocities (n_atoms, 3), so no run can go on from it");
  if (step == frame.info.end()) throw FormatError("the frame has no step, so no run can go on from it");
  const std::vector<Structure> one{frame.structure};
  State state = State::of(one);
  state.velocities = velocities->second;
  state.step = parse_integer(step->second, "step");
  return state;
}

struct Trajectory::Impl {
  /// Throws FileError where the file cannot be opened, or another process writes it: their frames would be mixed.
  Impl(const std::filesystem::path& given, int flags, const std::string& what) : path(given), file(given, O_WRONLY | O_APPEND | flags) {
    if (file.get() < 0) throw_file_error(what, path);
    if (!lock_file(file.get(), path)) throw FileError(path.string() + " is being written by another process: wait until it has ended, or stop it");
  }

  std::filesystem::path path;
  Descriptor file;
};

Trajectory::Trajectory(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Trajectory::Trajectory(Trajectory&&) noexcept = default;
Trajectory& Trajectory::operator=(Trajectory&&) noexcept = default;
Trajectory::~Trajectory() = default;

Trajectory Trajectory::create(const std::filesystem::path& path) {
  auto impl = std::make_unique<Impl>(path, O_CREAT | O_EXCL, "create");
  sync_folder_of(path);
  return Trajectory(std::move(impl));
}

Trajectory Trajectory::resume(const std::filesystem::path& path, std::optional<Frame>& last) {
  auto impl = std::make_unique<Impl>(path, 0, "open");
  const std::string text = read_file(path);
  const Extent extent = last_whole_frame(text, path.string());
  last.reset();
  if (extent.end > 0)
    last = parse_extxyz(std::string_view(text).substr(extent.begin, extent.end - extent.begin), path.string()).at(0);
  if (::ftruncate(impl->file.get(), static_cast<off_t>(extent.end)) != 0) throw_file_error("cut the torn end off", path);
  return Trajectory(std::move(impl));
}

void Trajectory::append(const Frame& frame) {
  const std::string text = format_extxyz(std::span(&frame, 1));
  write_all(impl_->file.get(), text, impl_->path);
  if (::fsync(impl_->file.get()) != 0) throw_file_error("sync", impl_->path);
}

}  // namespace tamiz
