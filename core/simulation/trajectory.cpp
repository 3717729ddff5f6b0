#include "tamiz/core/simulation/trajectory.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
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

constexpr std::size_t k_block = 1 << 20;   // [bytes]
constexpr std::size_t k_longest_count = 64;  // [bytes]: a line of blanks and one number

/// As much as there is from `begin` on, at most `size` bytes.
std::string read_part(int file, std::size_t begin, std::size_t size, const std::filesystem::path& path) {
  std::string part(size, '\0');
  std::size_t n_read = 0;
  while (n_read < size) {
    const ssize_t n = ::pread(file, part.data() + n_read, size - n_read, static_cast<off_t>(begin + n_read));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_file_error("read", path);
    if (n == 0) break;
    n_read += static_cast<std::size_t>(n);
  }
  part.resize(n_read);
  return part;
}

/// Where the last whole frame begins and ends; both 0 where there is none.
struct Extent {
  std::size_t begin = 0, end = 0;
};

/// Finds it line by line in a file of any size: frames are not kept.
class FrameScan {
 public:
  explicit FrameScan(const std::filesystem::path& path) : path_(path) {}

  void feed(std::string_view block) {
    std::size_t position = 0;
    while (position < block.size()) {
      const std::size_t line_end = block.find('\n', position);
      if (lines_left_ == 0) add_to_count(block.substr(position, line_end - position));
      if (line_end == std::string_view::npos) break;
      position = line_end + 1;
      end_line(read_ + position);
    }
    read_ += block.size();
  }

  Extent last() const { return last_; }

 private:
  void add_to_count(std::string_view text) {
    count_ += text.substr(0, k_longest_count);
    if (count_.size() > k_longest_count) throw FormatError(path_.string() + " is no trajectory: expected a number of atoms, got " + count_.substr(0, 20) + "…");
  }

  void end_line(std::size_t end) {
    if (lines_left_ > 0) {
      if (--lines_left_ > 0) return;
      last_ = {begin_, end};
      begin_ = end;
      return;
    }
    const long long n_atoms = parse_integer(trim(count_), path_.string() + ": number of atoms");
    if (n_atoms < 0) throw FormatError(path_.string() + ": a number of atoms is below 0");
    lines_left_ = n_atoms + 1;  // the comment and the atoms
    count_.clear();
  }

  std::filesystem::path path_;
  std::string count_;         ///< what has been read of the line with the number of atoms
  long long lines_left_ = 0;  ///< of the frame; 0 in the line with the number of atoms
  std::size_t read_ = 0, begin_ = 0;
  Extent last_;
};

Extent last_whole_frame(int file, const std::filesystem::path& path) {
  FrameScan scan(path);
  std::size_t position = 0;
  while (true) {
    const std::string block = read_part(file, position, k_block, path);
    scan.feed(block);
    position += block.size();
    if (block.size() < k_block) return scan.last();
  }
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
  Impl(const std::filesystem::path& given, int flags, const std::string& what) : path(given), file(given, O_RDWR | O_APPEND | flags) {
    if (file.get() < 0) throw_file_error(what, path);
    if (!lock_file(file.get(), path)) throw FileError(path.string() + " is being written by another process: wait until it has ended, or stop it");
  }

  std::filesystem::path path;
  Descriptor file;
  std::optional<off_t> end = {};  // of the whole frames of a file that was there before
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
  const int file = impl->file.get();
  const Extent extent = last_whole_frame(file, path);
  last.reset();
  if (extent.end > 0) last = parse_extxyz(read_part(file, extent.begin, extent.end - extent.begin, path), path.string()).at(0);
  impl->end = static_cast<off_t>(extent.end);
  return Trajectory(std::move(impl));
}

void Trajectory::append(const Frame& frame) {
  if (const auto end = std::exchange(impl_->end, std::nullopt); end && ::ftruncate(impl_->file.get(), *end) != 0)
    throw_file_error("cut the torn end off", impl_->path);
  const std::string text = format_extxyz(std::span(&frame, 1));
  write_all(impl_->file.get(), text, impl_->path);
  if (::fsync(impl_->file.get()) != 0) throw_file_error("sync", impl_->path);
}

}  // namespace tamiz
