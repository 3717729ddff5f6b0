#pragma once

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace tamiz {

/// What a training says on its way, one JSON object on a line.
class Metrics {
 public:
  /// Without a path, nowhere. Lines behind `step` were written by a run that was killed, and will be written again. Throws FileError.
  Metrics(const std::filesystem::path& path, std::int64_t step);

  /// A JSON object.
  void write(std::string_view line);
  bool wanted() const { return file_.is_open(); }

 private:
  std::ofstream file_;
};

}  // namespace tamiz
