#include <gtest/gtest.h>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/memory.hpp"

namespace {

using namespace tamiz;

TEST(Memory, amounts_are_read_with_their_units) {
  EXPECT_EQ(parse_bytes("2GiB"), std::size_t{2} << 30);
  EXPECT_EQ(parse_bytes(" 1.5 MiB "), 1572864u);
  EXPECT_EQ(parse_bytes("3GB"), 3'000'000'000u);
  EXPECT_EQ(parse_bytes("1e9"), 1'000'000'000u);
  EXPECT_EQ(parse_bytes("64B"), 64u);
  EXPECT_EQ(format_bytes(1.5 * 0x1p30), "1.5 GiB");
  EXPECT_EQ(format_bytes(100.0), "100 B");
}

TEST(Memory, what_is_no_amount_is_an_error) {
  for (const char* text : {"", "GiB", "two", "-1GiB", "0", "nan", "1e40", "3 Gb"}) EXPECT_THROW(parse_bytes(text), FormatError) << text;
}

TEST(Memory, some_is_available) {
  EXPECT_GT(available_memory(), std::size_t{16} << 20);
  EXPECT_LT(available_memory(), std::size_t{1} << 50);
}

}  // namespace
