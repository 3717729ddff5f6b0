#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tamiz {

/// The syntax of CIF 1.1, without its meaning: data blocks of values and loops, keys in lower case.
struct CifValue {
  std::string text;
  int line = 0;
};

struct CifLoop {
  int line = 0;
  std::vector<std::string> keys;
  std::vector<CifValue> values;  ///< row by row

  bool has(std::string_view key) const;
  std::vector<CifValue> column(std::string_view key) const;
};

struct CifBlock {
  std::string name;
  int line = 0;
  std::map<std::string, CifValue> values;
  std::vector<CifLoop> loops;

  const CifValue* value(std::string_view key) const;
  /// The loop that has `key`; null when there is none.
  const CifLoop* loop_with(std::string_view key) const;
};

/// Throws FormatError with name:line.
std::vector<CifBlock> parse_cif_document(std::string_view text, const std::string& name);

}  // namespace tamiz
