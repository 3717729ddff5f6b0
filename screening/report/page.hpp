#pragma once

#include <span>
#include <string_view>

namespace tamiz::report {

/// One file of `screening/report/page`, put into the library when it is built (see embed.cmake).
struct PageFile {
  std::string_view name;
  std::string_view text;
};

std::span<const PageFile> page_files();

}  // namespace tamiz::report
