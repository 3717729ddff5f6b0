#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tamiz/core/base/progress.hpp"

using namespace tamiz;

namespace {

std::size_t n_lines(const std::string& text) { return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')); }

/// What is written to a log file: tests have no terminal.
TEST(Progress, rate_and_remaining_time_are_of_what_was_not_done_before) {
  testing::internal::CaptureStderr();
  {
    Progress progress("labels", 10, 4);
    progress.update(4);
    progress.update(10, "7 core-seconds");
  }
  const std::string lines = testing::internal::GetCapturedStderr();

  ASSERT_EQ(n_lines(lines), 2u) << lines;
  const std::string first = lines.substr(0, lines.find('\n')), last = lines.substr(lines.find('\n') + 1);
  EXPECT_EQ(first, "tamiz: labels 4/10  0:00");
  EXPECT_TRUE(last.starts_with("tamiz: labels 10/10  0:00  ") && last.ends_with("/s  7 core-seconds\n")) << last;
}

TEST(Progress, a_log_file_gets_no_line_twice) {
  testing::internal::CaptureStderr();
  {
    Progress progress("labels", 2);
    for (int k = 0; k < 3; ++k) progress.update(2);
  }
  EXPECT_EQ(n_lines(testing::internal::GetCapturedStderr()), 1u);
}

}  // namespace
