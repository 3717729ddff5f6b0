#include "tamiz/core/base/text.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>

#include "tamiz/core/base/error.hpp"

namespace tamiz {
namespace {

constexpr std::string_view k_blank = " \t\r\n\f\v";

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row[b.size()];
}

template <typename Number>
Number parse_number(std::string_view text, std::string_view what, const char* expected) {
  std::string_view digits = trim(text);
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
  Number value{};
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (digits.empty() || status != std::errc() || end != digits.data() + digits.size())
    throw FormatError(std::string(what) + ": expected " + expected + ", got '" + std::string(text) + "'");
  return value;
}

}  // namespace

std::string_view trim(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(k_blank);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(k_blank) - begin + 1);
}

std::vector<std::string_view> split_whitespace(std::string_view line) {
  std::vector<std::string_view> words;
  std::size_t begin = line.find_first_not_of(k_blank);
  while (begin != std::string_view::npos) {
    const std::size_t end = std::min(line.find_first_of(k_blank, begin), line.size());
    words.push_back(line.substr(begin, end - begin));
    begin = line.find_first_not_of(k_blank, end);
  }
  return words;
}

std::string lower(std::string_view text) {
  std::string result(text);
  std::transform(result.begin(), result.end(), result.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return result;
}

std::string joined(std::span<const std::string> words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

double parse_double(std::string_view text, std::string_view what) {
  const double value = parse_number<double>(text, what, "a number");
  if (!std::isfinite(value))
    throw FormatError(std::string(what) + ": expected a finite number, got '" + std::string(text) + "'");
  return value;
}

long long parse_integer(std::string_view text, std::string_view what) {
  return parse_number<long long>(text, what, "a whole number");
}

std::string format_double(double value) {
  char buffer[32];
  const auto [end, status] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return status == std::errc() ? std::string(buffer, end) : "nan";
}

std::string nearest_name(std::string_view name, std::span<const std::string> known) {
  std::string best;
  std::size_t best_distance = std::string::npos;
  for (const std::string& candidate : known) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  const bool near = best_distance <= 3 || 2 * best_distance <= std::max(name.size(), best.size());
  return near ? best : std::string();
}

}  // namespace tamiz
