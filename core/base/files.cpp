#include "tamiz/core/base/files.hpp"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <utility>

#include "tamiz/core/base/descriptor.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/log.hpp"

namespace tamiz {
namespace {

constexpr std::string_view k_unfinished = ".part";
constexpr std::size_t k_piece = 1u << 16;  // [bytes] first piece of a file that is read

/// A name that no other thread or process uses.
std::filesystem::path name_beside(const std::filesystem::path& path) {
  static std::atomic<unsigned> counter{0};
  return path.parent_path() / ("." + path.filename().string() + "." + std::to_string(::getpid()) + "-" + std::to_string(counter++) +
                               std::string(k_unfinished));
}

/// A new file beside `path`, with the permissions that the user's mask asks for (mkstemp would give 0600).
std::pair<int, std::filesystem::path> create_beside(const std::filesystem::path& path) {
  for (int attempt = 0; attempt < 1000; ++attempt) {
    std::filesystem::path temporary = name_beside(path);
    const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd >= 0) return {fd, std::move(temporary)};
    if (errno != EEXIST) throw_file_error("create a file beside", path);
  }
  throw_file_error("create a file beside", path, EEXIST);
}

/// Whether the process that a name of `name_beside` has in it is there.
bool is_being_written(const std::string& name) {
  const std::size_t end = name.rfind('-'), dot = name.rfind('.', end);
  if (end == std::string::npos || dot == std::string::npos) return false;
  pid_t writer = 0;
  const auto parsed = std::from_chars(name.data() + dot + 1, name.data() + end, writer);
  if (parsed.ec != std::errc() || parsed.ptr != name.data() + end || writer <= 0) return false;
  return ::kill(writer, 0) == 0 || errno == EPERM;
}

/// Devices and pipes are written in place: renaming a file over /dev/stdout would replace the device itself.
void write_in_place(const std::filesystem::path& path, std::span<const std::string_view> pieces) {
  Descriptor descriptor(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (descriptor.get() < 0) throw_file_error("open", path);
  for (const std::string_view piece : pieces) write_all(descriptor.get(), piece, path);
  if (!descriptor.close()) throw_file_error("close", path);
}

/// What a chain of links points at, so that the file is replaced and not the link.
std::filesystem::path target_of(std::filesystem::path path) {
  std::error_code ignored;
  for (int links = 0; links < 40 && std::filesystem::is_symlink(path, ignored); ++links) {
    const std::filesystem::path next = std::filesystem::read_symlink(path, ignored);
    path = next.is_absolute() ? next : path.parent_path() / next;
  }
  return path;
}

}  // namespace

std::filesystem::path folder_of(const std::filesystem::path& path) {
  return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

void sync_folder_of(const std::filesystem::path& path) {
  const std::filesystem::path folder = folder_of(path);
  const Descriptor descriptor(folder, O_RDONLY | O_DIRECTORY);
  if (descriptor.get() < 0) throw_file_error("open the folder", folder);
  // Some file systems cannot sync a folder and say EINVAL; there is nothing more to do on those.
  if (::fsync(descriptor.get()) != 0 && errno != EINVAL) throw_file_error("sync the folder", folder);
}

bool lock_file(int descriptor, const std::filesystem::path& path) {
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK) return false;
  if (errno != ENOSYS && errno != EOPNOTSUPP && errno != ENOLCK) throw_file_error("lock", path);
  log::warning_once("the file system of " + path.string() + " has no locks: let only one process write to a file there");
  return true;
}

std::string read_file(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) throw FileError("cannot read " + path.string() + ": it is a folder");
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) throw_file_error("open", path);
  std::string content(k_piece, '\0');
  // Every error has to show: a ledger cuts off what a read did not bring. Pipes and files of /proc say no size before.
  for (std::size_t size = 0;;) {
    if (size == content.size()) content.resize(2 * size);
    const ssize_t got = ::read(file.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw_file_error("read", path);
    if (got == 0) {
      content.resize(size);
      return content;
    }
    size += static_cast<std::size_t>(got);
  }
}

void write_file_atomically(const std::filesystem::path& path, std::string_view bytes) {
  write_file_atomically(path, std::span(&bytes, 1));
}

void write_file_atomically(const std::filesystem::path& name, std::span<const std::string_view> pieces) {
  std::error_code ignored;
  if (!name.has_filename() || std::filesystem::is_directory(name, ignored))
    throw FileError("cannot write " + name.string() + ": it names a folder");
  if (std::filesystem::exists(name, ignored) && !std::filesystem::is_regular_file(name, ignored))
    return write_in_place(name, pieces);
  const std::filesystem::path path = target_of(name);
  const auto [fd, temporary] = create_beside(path);
  Descriptor descriptor(fd);
  try {
    for (const std::string_view piece : pieces) write_all(descriptor.get(), piece, path);
    if (::fsync(descriptor.get()) != 0) throw_file_error("sync", path);
    if (!descriptor.close()) throw_file_error("close", path);
    if (::rename(temporary.c_str(), path.c_str()) != 0) throw_file_error("replace", path);
  } catch (...) {
    ::unlink(temporary.c_str());
    throw;
  }
  sync_folder_of(path);
}

void write_file_beside(const std::filesystem::path& name, const std::function<void(const std::filesystem::path&)>& write) {
  const std::filesystem::path path = target_of(name);
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored))
    throw FileError("cannot write " + name.string() + ": there is something that is no file");
  const std::filesystem::path part = name_beside(path);
  std::filesystem::remove(part, ignored);  // of a process before that had the same number
  try {
    write(part);
    if (::rename(part.c_str(), path.c_str()) != 0) throw_file_error("replace", path);
  } catch (...) {
    ::unlink(part.c_str());
    throw;
  }
  sync_folder_of(path);
}

void remove_unfinished_writes(const std::filesystem::path& folder) {
  std::error_code ignored;
  std::vector<std::filesystem::path> unfinished;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.') && entry.path().extension() == k_unfinished && !is_being_written(name)) unfinished.push_back(entry.path());
  }
  for (const auto& path : unfinished) std::filesystem::remove(path, ignored);
}

std::filesystem::path own_directory() {
  Dl_info info;
  if (dladdr(reinterpret_cast<const void*>(&own_directory), &info) == 0 || info.dli_fname == nullptr)
    throw FileError("cannot find the folder of the running library");
  return std::filesystem::weakly_canonical(info.dli_fname).parent_path();
}

std::filesystem::path data_directory() {
  if (const char* folder = std::getenv("TAMIZ_DATA")) {
    if (!std::filesystem::is_directory(folder))
      throw FileError(std::string("TAMIZ_DATA is not a folder: ") + folder);
    return folder;
  }
  std::filesystem::path base = own_directory();
  for (int level = 0; level < 5; ++level) {
    base = base.parent_path();
    const auto candidate = base / "share" / "tamiz";
    if (std::filesystem::is_directory(candidate / "prototypes")) return candidate;
  }
  if (std::filesystem::is_directory(TAMIZ_SOURCE_DATA)) return TAMIZ_SOURCE_DATA;
  throw FileError("the shipped data was not found: set TAMIZ_DATA to the folder that holds prototypes/ and models/");
}

}  // namespace tamiz
