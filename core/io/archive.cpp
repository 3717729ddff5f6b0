#include "tamiz/core/io/archive.hpp"

#include <fcntl.h>
#include <hdf5.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>

#include "tamiz/core/base/descriptor.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/io/archive_frame.hpp"
#include "tamiz/core/io/archive_index.hpp"
#include "tamiz/core/io/hdf5_file.hpp"

namespace tamiz {
namespace {

using namespace detail;
using hdf5::check;
using hdf5::Failure;
using hdf5::Handle;

constexpr std::int64_t k_version = 1;
const std::string k_format = "tamiz archive";
constexpr hsize_t k_page = 4096;
constexpr off_t k_headroom = off_t{1} << 20;

/// More than a frame takes in the file: numbers, and texts, which are as long as the longest of their column.
std::size_t most_bytes_of(const Frame& frame) {
  std::size_t longest = 0, n_numbers = 0;
  for (const auto& [key, value] : frame.info) longest = std::max({longest, key.size(), value.size()});
  for (const auto& [name, array] : frame.arrays) n_numbers += 256 + static_cast<std::size_t>(array.size());
  return 4096 + 256 * frame.structure.size() + 8 * n_numbers + 2 * frame.info.size() * (longest + 16);
}

Handle access_properties() {
  Handle properties = hdf5::file_access();
  // A row of the index never lies on two pages, since tables begin on one.
  check(H5Pset_alignment(properties.get(), 4 * k_page, k_page), "choose an alignment");
  return properties;
}

[[noreturn]] void fail_altered(const std::filesystem::path& path, const std::string& where, const std::string& why) {
  throw FormatError(path.string() + ": " + where + "checksum or structure is wrong: the archive is truncated or altered (" + why + ")");
}

}  // namespace

struct Archive::Impl {
  std::filesystem::path path;
  Handle file;
  ArchiveIndex index;
  bool read_only = false;

  /// Numbers the operating system knows the file by.
  int descriptor() const {
    void* handle = nullptr;
    check(H5Fget_vfd_handle(file.get(), H5P_DEFAULT, &handle), "find the file's descriptor");
    return *static_cast<int*>(handle);
  }
  /// HDF5 writes down how long the file will be before it makes it so long; a program that is killed in between would
  /// leave a file that counts as truncated. So it is made longer beforehand; nothing is stored for that.
  void make_room(std::size_t bytes) const {
    struct stat info {};
    if (::fstat(descriptor(), &info) != 0) throw_file_error("look at", path);
    if (::ftruncate(descriptor(), info.st_size + static_cast<off_t>(bytes) + k_headroom) != 0) throw_file_error("extend", path);
  }
  void give_back_room() const {
    hsize_t size = 0;
    check(H5Fget_filesize(file.get(), &size), "ask for the size");
    if (::ftruncate(descriptor(), static_cast<off_t>(size)) != 0) throw_file_error("cut", path);
  }
  void flush() const {
    check(H5Fflush(file.get(), H5F_SCOPE_LOCAL), "flush");
    if (::fsync(descriptor()) != 0) throw_file_error("sync", path);
  }

  void open(bool for_reading) {
    hdf5::check_signature(path);
    read_only = for_reading;
    const hdf5::Session session;
    try {
      const Handle properties = access_properties();
      file = Handle(H5Fopen(path.c_str(), read_only ? H5F_ACC_RDONLY : H5F_ACC_RDWR, properties.get()), "open the file");
      hdf5::check_header(file.get(), path, k_format, k_version);
      index = ArchiveIndex::open(file.get());
    } catch (const Failure& failure) {
      const std::string why = failure.what();
      if (why.find("unable to lock file") != std::string::npos) throw FileError("cannot open " + path.string() + ": another program is using it");
      if (why.find("unable to open file") != std::string::npos) throw FileError("cannot open " + path.string() + ": " + why);
      fail_altered(path, "", why);
    }
  }

  void create() {
    const hdf5::Session session;
    try {
      const Handle properties = access_properties(), creation = hdf5::file_creation();
      file = Handle(H5Fcreate(path.c_str(), H5F_ACC_EXCL, creation.get(), properties.get()), "create the file");
      hdf5::write_header(file.get(), k_format, k_version);
      index = ArchiveIndex::create(file.get());
      flush();
    } catch (const Failure& failure) {
      throw FileError("cannot create " + path.string() + ": " + failure.what());
    }
  }

  /// Two steps: the frames, in space that is not in use; then, once they are on the disk, their rows of the index.
  void append(std::span<const Frame> frames) {
    std::size_t bytes = 0;
    for (const Frame& frame : frames) bytes += most_bytes_of(frame);
    make_room(bytes);
    index.reserve(file.get(), frames.size());
    std::vector<std::pair<Handle, std::string>> groups;
    for (const Frame& frame : frames) {
      groups.emplace_back(hdf5::make_unnamed_group(file.get()), frame_hash(frame));
      write_frame(groups.back().first.get(), frame);
    }
    flush();
    for (const auto& [group, hash] : groups) index.add(group.get(), hash);
    flush();
    give_back_room();
  }
};

Archive::Archive(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Archive::Archive(Archive&&) noexcept = default;
Archive& Archive::operator=(Archive&& other) noexcept {
  std::swap(impl_, other.impl_);
  return *this;
}
Archive::~Archive() {
  if (!impl_) return;
  const hdf5::Session session;
  impl_.reset();
}

Archive Archive::create(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) throw FileError("cannot create " + path.string() + ": it exists already");
  const hdf5::Session session;  // also while a file that fails is closed
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->create();
  return Archive(std::move(impl));
}

Archive Archive::open(const std::filesystem::path& path) {
  const hdf5::Session session;  // also while a file that fails is closed
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->open(false);
  return Archive(std::move(impl));
}

Archive Archive::open_read_only(const std::filesystem::path& path) {
  const hdf5::Session session;  // also while a file that fails is closed
  auto impl = std::make_unique<Impl>();
  impl->path = path;
  impl->open(true);
  return Archive(std::move(impl));
}

std::size_t Archive::size() const { return impl_->index.size(); }

Frame Archive::read(std::size_t k) const {
  if (k >= size()) throw ShapeError(impl_->path.string() + ": frame " + std::to_string(k) + " of " + std::to_string(size()));
  const std::string where = "frame " + std::to_string(k) + ": ";
  const hdf5::Session session;
  try {
    const Handle group = impl_->index.open_frame(impl_->file.get(), k);
    Frame frame = read_frame(group.get());
    if (!impl_->index.matches(k, frame_hash(frame))) throw Failure("its content has another checksum");
    return frame;
  } catch (const Failure& failure) {
    fail_altered(impl_->path, where, failure.what());
  } catch (const Error& error) {
    fail_altered(impl_->path, where, error.what());
  }
}

void Archive::append(std::span<const Frame> frames) {
  if (impl_->read_only) throw FileError("cannot append to " + impl_->path.string() + ": it was opened to read only");
  const hdf5::Session session;
  try {
    impl_->append(frames);
  } catch (const Failure& failure) {
    throw FileError("cannot append to " + impl_->path.string() + ": " + failure.what());
  }
}

std::vector<Frame> read_archive(const std::filesystem::path& path) {
  const Archive archive = Archive::open_read_only(path);
  std::vector<Frame> frames;
  for (std::size_t k = 0; k < archive.size(); ++k) frames.push_back(archive.read(k));
  return frames;
}

void write_archive(const std::filesystem::path& path, std::span<const Frame> frames) {
  write_file_beside(path, [&](const std::filesystem::path& part) { Archive::create(part).append(frames); });
}

}  // namespace tamiz
