#include "tamiz/screening/campaign/ledger_frame.hpp"

#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/hash.hpp"

namespace tamiz::ledger_frame {
namespace {

using nlohmann::json;

constexpr std::string_view k_magic = "TZ1 ";
constexpr std::size_t k_length_begin = 4, k_length_digits = 8;
constexpr std::size_t k_hash_begin = 13, k_hash_digits = 16;
constexpr std::size_t k_header = 30;

/// JSON would turn such a number into null without a word.
void check_finite(const json& value, const std::string& path) {
  if (value.is_number_float() && !std::isfinite(value.get<double>()))
    throw NumericsError("record member " + path + " is not finite: a ledger holds finite numbers only");
  if (!value.is_structured()) return;
  for (const auto& [key, entry] : value.items())
    if (entry.is_structured() || entry.is_number_float()) check_finite(entry, path + "/" + key);
}

/// Lower case only, as they are written: any other byte is damage.
std::optional<std::uint64_t> hexadecimal(std::string_view text) {
  if (text.find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// Whether `line`, which has no newline, can be the beginning of a record whose writing was cut off. A power
/// failure may leave zeros in place of what had not reached the disk.
bool is_torn(std::string_view line) {
  while (!line.empty() && line.back() == '\0') line.remove_suffix(1);
  if (line.substr(0, k_magic.size()) != k_magic.substr(0, line.size())) return false;
  if (line.size() < k_header) return true;
  const auto length = hexadecimal(line.substr(k_length_begin, k_length_digits));
  return length && line.size() <= k_header + *length;
}

[[noreturn]] void fail(const std::string& name, std::size_t line, const std::string& what) {
  throw FormatError(fmt::format("{}:{}: damaged ledger: {}; restore it from a copy, or keep what is before with "
                                "`head -n {}`",
                                name, line, what, line - 1));
}

/// JSON text of a line, checked against its header.
std::string_view payload(std::string_view line, const std::string& name, std::size_t number) {
  if (line.substr(0, k_magic.size()) != k_magic) {
    if (line.substr(0, 2) == k_magic.substr(0, 2) && line.size() > 2 && line[2] > '1' && line[2] <= '9')
      fail(name, number, fmt::format("format version {} is newer than this program's 1", line[2]));
    fail(name, number, "expected the record to begin with TZ1");
  }
  if (line.size() < k_header || line[12] != ' ' || line[29] != ' ') fail(name, number, "the frame of the record is broken");
  const auto length = hexadecimal(line.substr(k_length_begin, k_length_digits));
  const auto hash = hexadecimal(line.substr(k_hash_begin, k_hash_digits));
  if (!length || !hash) fail(name, number, "the frame of the record is broken");
  const std::string_view text = line.substr(k_header);
  if (text.size() != *length)
    fail(name, number, fmt::format("expected a record of {} bytes, got {}", *length, text.size()));
  if (hash64(text) != *hash)
    fail(name, number, fmt::format("expected the checksum {:016x}, got {:016x}", *hash, hash64(text)));
  return text;
}

json parse(std::string_view text, const std::string& name, std::size_t number) {
  json record = json::parse(text, nullptr, false);
  if (!record.is_object() || !record.contains("kind") || !record.at("kind").is_string())
    fail(name, number, "the record is not a JSON object with a text member kind");
  return record;
}

}  // namespace

std::string encode(const json& record) {
  if (!record.is_object() || !record.contains("kind") || !record.at("kind").is_string())
    throw FormatError("a ledger record must be a JSON object with a text member kind");
  check_finite(record, "");
  // A reason may quote the standard error of some program, which need not be UTF-8.
  const std::string text = record.dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > 0xffffffffU)
    throw FormatError(fmt::format("a ledger record of {} bytes is too large, the limit is 4 GiB", text.size()));
  return fmt::format("{}{:08x} {:016x} {}\n", k_magic, text.size(), hash64(text), text);
}

Content decode(std::string_view bytes, const std::string& name) {
  Content content;
  for (std::size_t number = 1; content.whole_bytes < bytes.size(); ++number) {
    const std::string_view rest = bytes.substr(content.whole_bytes);
    const std::size_t newline = rest.find('\n');
    if (newline == std::string_view::npos) {
      if (is_torn(rest)) return content;
      fail(name, number, "the last line is no record and not the beginning of one");
    }
    content.records.push_back(parse(payload(rest.substr(0, newline), name, number), name, number));
    content.whole_bytes += newline + 1;
  }
  return content;
}

}  // namespace tamiz::ledger_frame
