#pragma once

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <string>

namespace tamiz {

/// A path of its own under the system's folder for temporary files, "<prefix>-<process>-<number>"; what comes to lie there
/// is removed at the end, also after an error.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::string& prefix)
      : path_(std::filesystem::temp_directory_path() /
              (prefix + "-" + std::to_string(::getpid()) + "-" + std::to_string(next_number()))) {}
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  static unsigned next_number() {
    static std::atomic<unsigned> counter{0};
    return counter++;
  }

  std::filesystem::path path_;
};

}  // namespace tamiz
