#include "tamiz/core/base/descriptor.hpp"

#include <cstring>

#include "tamiz/core/base/error.hpp"

namespace tamiz {

void throw_file_error(const std::string& what, const std::filesystem::path& path, int reason) {
  throw FileError("cannot " + what + " " + path.string() + ": " + std::strerror(reason));
}

void write_all(int fd, std::string_view bytes, const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw_file_error("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace tamiz
