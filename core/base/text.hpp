#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tamiz {

std::vector<std::string_view> split_whitespace(std::string_view line);
std::string_view trim(std::string_view text);
/// ASCII letters made small.
std::string lower(std::string_view text);
/// "a, b, c"
std::string joined(std::span<const std::string> words);

/// Locale-independent, whole text must be a finite number. Throws FormatError naming `what`.
double parse_double(std::string_view text, std::string_view what);
long long parse_integer(std::string_view text, std::string_view what);

/// Shortest decimal text that reads back to the same bits.
std::string format_double(double value);

/// The member of `known` with the least edit distance, or "" when none is near (> 3 edits and more
/// than half of the length).
std::string nearest_name(std::string_view name, std::span<const std::string> known);

}  // namespace tamiz
