#include "tamiz/core/base/version.hpp"

namespace tamiz {

std::string_view version() { return TAMIZ_VERSION; }

std::string_view commit() {
  constexpr std::string_view k_commit = TAMIZ_COMMIT;
  return k_commit.empty() ? std::string_view("unknown") : k_commit;
}

}  // namespace tamiz
