#include "tamiz/potentials/engine/training/metrics.hpp"

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"

namespace tamiz {
namespace {

void cut_back(const std::filesystem::path& path, std::int64_t step) {
  if (!std::filesystem::exists(path)) return;
  std::istringstream lines(read_file(path));
  std::string kept;
  for (std::string line; std::getline(lines, line);) {
    const nlohmann::json entry = nlohmann::json::parse(line, nullptr, false);
    if (entry.is_object() && entry.value("step", step + 1) <= step) kept += line + "\n";
  }
  write_file_atomically(path, kept);
}

}  // namespace

Metrics::Metrics(const std::filesystem::path& path, std::int64_t step) {
  if (path.empty()) return;
  cut_back(path, step);
  file_.open(path, std::ios::app);
  if (!file_) throw FileError("cannot write the metrics file " + path.string());
}

void Metrics::write(std::string_view line) {
  if (file_.is_open()) file_ << line << std::endl;
}

}  // namespace tamiz
