#pragma once

#include <functional>
#include <string>

namespace tamiz {

/// Calls visit(folder, is_version_2) for every control group that binds this process by `controller` ("cpu", "memory"): its
/// own, and those above it up to the root.
void over_control_groups(const std::string& controller, const std::function<void(const std::string&, bool)>& visit);

}  // namespace tamiz
