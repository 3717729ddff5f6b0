#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tamiz {

/// Memory that this process may still take [bytes]: what the system has to spare, or less where a control group says so.
std::size_t available_memory();

/// "2GiB", "512 MiB", "3GB" (10⁹), "1e9" and "100000000" [bytes]. Throws FormatError.
std::size_t parse_bytes(std::string_view text);
/// "1.5 GiB"
std::string format_bytes(double bytes);

}  // namespace tamiz
