#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>
#include <vector>

#include "tamiz/core/base/philox.hpp"

namespace tamiz::test_support {

/// Words that have broken parsers before.
inline constexpr std::array k_hostile_words{
    "nan", "inf", "-inf", "1e999", "-1", "0", "1e-320", "99999999999999999999", "4294967310", "2147483648", "1e300",
    "\"", "'", "[", "{", "(", "=", ":", ";", "#", "\\", "\n", "\r\n", "\n;", "\t", " ", "T", "F", "Xx", "Si", "loop_",
    "data_", "_atom_site_fract_x", "Properties=", "species:S:1:pos:R:3", "pos:R:1", ":R:1000", "Lattice=", "pbc=",
    "Direct", "Selective", "x,x,x", "1/0", "[[pair]]", "[table]", "{}", "null", "\xff\xfe", "\xc3"};

/// A text with one to six small changes: bits, bytes, pieces taken out, doubled, moved in from `other`, numbers and
/// words replaced by hostile ones, an early end. A function of the random numbers alone.
inline std::string mutated(std::string text, std::string_view other, Philox& random) {
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random.below(std::max<std::size_t>(n, 1))); };
  const std::size_t n_changes = 1 + below(6);
  for (std::size_t change = 0; change < n_changes; ++change) {
    const std::size_t at = below(text.size() + 1);
    const std::string word = k_hostile_words[below(k_hostile_words.size())];
    switch (random.below(9)) {
      case 0:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ (1 << below(8)));
        break;
      case 1:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        break;
      case 2:
        text.erase(at, 1 + below(40));
        break;
      case 3:
        text.insert(below(text.size() + 1), text.substr(at, 1 + below(80)));
        break;
      case 4:
        text.insert(at, other.substr(below(other.size()), 1 + below(80)));
        break;
      case 5:
        text.insert(at, word);
        break;
      case 6: {  // the number or word that stands at `at`
        const auto is_part = [&](std::size_t k) { return std::isgraph(static_cast<unsigned char>(text[k])) != 0; };
        std::size_t begin = at, end = at;
        while (begin > 0 && is_part(begin - 1)) --begin;
        while (end < text.size() && is_part(end)) ++end;
        text.replace(begin, end - begin, word);
        break;
      }
      case 7: {  // a whole line
        const std::size_t begin = text.rfind('\n', at);
        const std::size_t end = text.find('\n', at);
        if (begin != std::string::npos && end != std::string::npos && begin < end) text.erase(begin, end - begin);
        break;
      }
      default:
        if (random.below(6) == 0) text.resize(at);
    }
  }
  return text;
}

}  // namespace tamiz::test_support
