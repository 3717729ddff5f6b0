#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace tamiz {

/// One table of a TOML file, read key by key; what is wrong is reported as `file:line: table.key: ...`.
/// The library behind it stays out of this header.
class TomlTable {
 public:
  /// Parses a file. Throws FileError, FormatError (syntax, with file:line).
  static TomlTable read(const std::filesystem::path& path);
  static TomlTable parse(std::string_view text, const std::string& name);

  TomlTable(const TomlTable&);
  TomlTable(TomlTable&&) noexcept;
  ~TomlTable();

  bool has(const std::string& key) const;
  /// The sub-table `key`; an empty one where there is none.
  TomlTable table(const std::string& key) const;
  /// The array of tables `key`; empty where there is none.
  std::vector<TomlTable> tables(const std::string& key) const;
  std::vector<std::string> keys() const;

  // Each returns `fallback` where the key is absent, and throws FormatError for a value of another type.
  std::string text(const std::string& key, const std::string& fallback) const;
  double number(const std::string& key, double fallback) const;
  std::int64_t integer(const std::string& key, std::int64_t fallback) const;
  bool boolean(const std::string& key, bool fallback) const;
  std::vector<std::string> texts(const std::string& key, const std::vector<std::string>& fallback) const;
  /// Of a list of texts, or of one text alone.
  std::vector<std::string> text_or_texts(const std::string& key) const;
  std::vector<double> numbers(const std::string& key, const std::vector<double>& fallback) const;

  /// Throws FormatError when `key` is absent.
  void require(const std::string& key) const;
  /// Throws FormatError for any key that is not in `known`, suggesting the nearest one.
  void allow_only(const std::vector<std::string>& known) const;
  /// FormatError about `key`: "file:line: table.key: message".
  [[noreturn]] void fail(const std::string& key, const std::string& message) const;

 private:
  struct Impl;
  explicit TomlTable(std::shared_ptr<const Impl> impl);
  std::shared_ptr<const Impl> impl_;
};

}  // namespace tamiz
