#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <vector>

namespace tamiz {

/// Append-only record of everything that happened in a campaign. One line per record:
///
///     TZ1 <length, 8 hex> <XXH3-64 of the JSON text, 16 hex> <JSON object>\n
///
/// Each append is written and fsynced before it returns. One writer: the file is locked (flock).
/// On opening, a torn last line (crash while writing) is cut off; damage anywhere else is an error.
class Ledger {
 public:
  /// Opens or creates. Throws FileError (locked by another process, disk full), FormatError (damaged,
  /// naming the line).
  explicit Ledger(std::filesystem::path path);
  ~Ledger();
  Ledger(Ledger&&) noexcept;
  Ledger& operator=(Ledger&&) noexcept;

  /// `record` must be an object with a string member "kind". Throws FileError when it cannot be written
  /// to the disk; the file is then cut back to its last whole record.
  void append(const nlohmann::json& record);
  const std::vector<nlohmann::json>& records() const;
  const std::filesystem::path& path() const;

  /// Reads without the lock, ignoring a torn last line.
  static std::vector<nlohmann::json> read(const std::filesystem::path& path);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tamiz
