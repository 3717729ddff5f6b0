#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

/// The line format of a ledger, apart from files.
namespace tamiz::ledger_frame {

/// The line of a record, with its newline. Throws FormatError unless `record` is an object with a text
/// "kind"; NumericsError for a number that is not finite, which JSON cannot hold.
std::string encode(const nlohmann::json& record);

struct Content {
  std::vector<nlohmann::json> records;
  std::size_t whole_bytes = 0;  ///< length of the whole records; what follows is a torn last line
};

/// Reads the bytes of a ledger. Throws FormatError naming `name`:line for damage anywhere but in a last
/// line that was not written to its end.
Content decode(std::string_view bytes, const std::string& name);

}  // namespace tamiz::ledger_frame
