#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "tamiz/core/base/temporary_folder.hpp"

namespace tamiz::test_support {

/// A test with an empty folder of its own, which is gone at its end.
class InFolder : public ::testing::Test {
 protected:
  InFolder() { std::filesystem::create_directories(folder_); }

 private:
  TemporaryFolder temporary_{"tamiz-test"};

 protected:
  const std::filesystem::path folder_ = temporary_.path();
};

}  // namespace tamiz::test_support
