#include "tamiz/core/base/control_groups.hpp"

#include <fstream>

namespace tamiz {

void over_control_groups(const std::string& controller, const std::function<void(const std::string&, bool)>& visit) {
  // Lines of the file: "0::/user.slice/job" (version 2), "4:cpu,cpuacct:/job" (version 1).
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool is_v2 = controllers.empty();
    if (!is_v2 && ("," + controllers + ",").find("," + controller + ",") == std::string::npos) continue;
    const std::string root = is_v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/" + controller;
    visit(root, is_v2);
    for (std::string path = line.substr(second + 1); path.size() > 1; path.erase(path.find_last_of('/'))) visit(root + path, is_v2);
  }
}

}  // namespace tamiz
