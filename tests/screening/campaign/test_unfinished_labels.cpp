#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "tamiz/screening/campaign/unfinished_labels.hpp"

namespace tamiz {
namespace {

namespace fs = std::filesystem;

class UnfinishedLabelFiles : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  fs::path folder_ = fs::temp_directory_path() / ("tamiz-unfinished-" + std::to_string(::getpid()));
  fs::path ledger_ = folder_ / "ledger.tz", states_ = folder_ / "ledger.tz.unfinished";
};

TEST_F(UnfinishedLabelFiles, the_last_state_outlives_the_program) {
  {
    UnfinishedLabels labels(ledger_);
    EXPECT_EQ(labels.state("abc"), "");
    EXPECT_FALSE(fs::exists(states_)) << "nothing is made before it is needed";
    labels.keep("abc", R"({"n":1})");
    labels.keep("abc", R"({"n":2})");
    labels.keep("def", R"({"n":3})");
  }
  std::ofstream(states_ / ".abc.json.99-0.part") << "a write that was killed";
  {
    UnfinishedLabels labels(ledger_);
    EXPECT_EQ(labels.state("abc"), R"({"n":2})");
    labels.drop("abc");
    labels.drop("abc");
    EXPECT_EQ(labels.state("abc"), "");
    EXPECT_EQ(labels.state("def"), R"({"n":3})");
    labels.drop("def");
  }
  EXPECT_FALSE(fs::exists(states_)) << "an empty folder was left";
}

TEST_F(UnfinishedLabelFiles, what_cannot_be_read_or_written_costs_no_label) {
  UnfinishedLabels labels(ledger_);
  labels.keep("abc", "{}");
  for (const char* damaged : {"", "{\"n\":", "[1, 2]"}) {
    std::ofstream(states_ / "abc.json") << damaged;
    EXPECT_EQ(labels.state("abc"), "") << damaged;
  }
  fs::remove_all(states_);
  std::ofstream(states_) << "a file in the place of the folder";
  EXPECT_NO_THROW(labels.keep("abc", "{}"));
  EXPECT_EQ(labels.state("abc"), "");
  fs::remove(states_);
}

}  // namespace
}  // namespace tamiz
