#pragma once

#include <string_view>

namespace tamiz {

/// "0.1.0"
std::string_view version();
/// Commit the program was built from, or "unknown" outside a checkout.
std::string_view commit();

}  // namespace tamiz
