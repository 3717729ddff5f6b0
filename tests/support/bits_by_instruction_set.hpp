#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "tamiz/core/base/temporary_folder.hpp"

namespace tamiz::test_support {

/// What the test `filter` of this program writes into the file that TAMIZ_TEST_BITS names, run in a process of its own on
/// the kernels of `isa`: they are chosen once per process.
inline std::string bits_under(const std::string& isa, const std::string& filter) {
  const TemporaryFolder folder("bits-" + isa);
  std::filesystem::create_directories(folder.path());
  const auto file = folder.path() / isa;
  const std::string command = "TAMIZ_ISA=" + isa + " TAMIZ_TEST_BITS='" + file.string() + "' /proc/" +
                              std::to_string(::getpid()) + "/exe --gtest_filter=" + filter + " > /dev/null";
  EXPECT_EQ(std::system(command.c_str()), 0) << isa;
  std::ifstream in(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace tamiz::test_support
