#include "tamiz/core/base/memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <utility>

#include "tamiz/core/base/control_groups.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/text.hpp"

namespace tamiz {
namespace {

constexpr std::size_t k_unlimited = std::numeric_limits<std::size_t>::max();

constexpr std::array<std::pair<std::string_view, double>, 9> k_units{
    {{"KiB", 0x1p10}, {"MiB", 0x1p20}, {"GiB", 0x1p30}, {"TiB", 0x1p40}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1.0}}};

std::size_t number_in(const std::string& file) {
  std::ifstream in(file);
  std::size_t value = 0;
  return in >> value ? value : k_unlimited;  // "max" is no number
}

/// Names of a version of control groups.
struct GroupFiles {
  std::string limit, usage, cache;
};

const GroupFiles k_version_1{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"};
const GroupFiles k_version_2{"memory.max", "memory.current", "inactive_file"};

/// What counts as used and is given back at need: files that were read or written.
std::size_t cache_of_group(const std::string& folder, const std::string& key) {
  std::ifstream stat(folder + "/memory.stat");
  std::string name;
  for (std::size_t bytes = 0; stat >> name >> bytes;)
    if (name == key) return bytes;
  return 0;
}

std::size_t spare_of_group(const GroupFiles& files, const std::string& folder) {
  const std::size_t most = number_in(folder + "/" + files.limit), used = number_in(folder + "/" + files.usage);
  if (most == k_unlimited || used == k_unlimited) return k_unlimited;
  const std::size_t kept = used - std::min(used, cache_of_group(folder, files.cache));
  return most > kept ? most - kept : 0;
}

std::size_t spare_of_groups() {
  std::size_t spare = k_unlimited;
  over_control_groups("memory", [&](const std::string& folder, bool is_v2) {
    spare = std::min(spare, spare_of_group(is_v2 ? k_version_2 : k_version_1, folder));
  });
  return spare;
}

std::size_t spare_of_system() {
  std::ifstream info("/proc/meminfo");
  std::string key;
  for (std::size_t kibibytes = 0; info >> key >> kibibytes; info.ignore(std::numeric_limits<std::streamsize>::max(), '\n'))
    if (key == "MemAvailable:") return kibibytes * 1024;
  return k_unlimited;
}

}  // namespace

std::size_t available_memory() { return std::min(spare_of_system(), spare_of_groups()); }

std::size_t parse_bytes(std::string_view text) {
  std::string_view number = trim(text);
  double factor = 1.0;
  for (const auto& [unit, value] : k_units)
    if (number.ends_with(unit)) {
      number = trim(number.substr(0, number.size() - unit.size()));
      factor = value;
      break;
    }
  double bytes = 0.0;
  try {
    bytes = parse_double(number, "memory") * factor;
  } catch (const FormatError&) {
    throw FormatError(fmt::format("'{}' is no amount of memory: expected a number and a unit, as 2GiB or 500MB", text));
  }
  if (!(bytes >= 1.0 && bytes < 0x1p62)) throw FormatError(fmt::format("'{}' is no amount of memory that there can be", text));
  return static_cast<std::size_t>(std::llround(bytes));
}

std::string format_bytes(double bytes) {
  for (const auto& [unit, value] : {k_units[3], k_units[2], k_units[1], k_units[0]})
    if (bytes >= value) return fmt::format("{:.1f} {}", bytes / value, unit);
  return fmt::format("{:.0f} B", bytes);
}

}  // namespace tamiz
