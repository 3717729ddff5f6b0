#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace tamiz {

/// A file descriptor that closes itself; negative where opening failed, with the reason in errno.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const std::filesystem::path& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  /// Closes now and says whether that worked: network file systems report a full disk only here.
  bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

 private:
  int fd_;
};

/// FileError "cannot <what> <path>: <the system's reason>".
[[noreturn]] void throw_file_error(const std::string& what, const std::filesystem::path& path, int reason = errno);

/// Writes everything where the descriptor stands, `path` for the message. Throws FileError.
void write_all(int fd, std::string_view bytes, const std::filesystem::path& path);

}  // namespace tamiz
