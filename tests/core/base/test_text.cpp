#include <gtest/gtest.h>

#include <clocale>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/philox.hpp"
#include "tamiz/core/base/text.hpp"

using namespace tamiz;

namespace {

const std::vector<std::string> k_names{"zincblende", "wurtzite", "rocksalt", "CsCl"};

std::string message_of(std::string_view text) {
  try {
    parse_double(text, "file.xyz:3: energy");
  } catch (const FormatError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST(Text, nearest_name_finds_a_misspelt_word) {
  EXPECT_EQ(nearest_name("zinkblende", k_names), "zincblende");
  EXPECT_EQ(nearest_name("wurzite", k_names), "wurtzite");
  EXPECT_EQ(nearest_name("rock-salt", k_names), "rocksalt");
}

TEST(Text, nearest_name_says_nothing_where_nothing_is_near) {
  EXPECT_EQ(nearest_name("perovskite-like", k_names), "");
  EXPECT_EQ(nearest_name("anything", std::vector<std::string>{}), "");
}

TEST(Text, nearest_name_prefers_the_first_of_equals) {
  EXPECT_EQ(nearest_name("Mx", std::vector<std::string>{"Mg", "Mn"}), "Mg");
}

TEST(Text, split_and_trim_know_every_blank) {
  EXPECT_EQ(split_whitespace(" a\tb \r\n c"), (std::vector<std::string_view>{"a", "b", "c"}));
  EXPECT_TRUE(split_whitespace(" \t\r\n").empty());
  EXPECT_EQ(trim("\t a b \r\n"), "a b");
  EXPECT_EQ(trim("  "), "");
}

TEST(Text, numbers_read_back_to_the_same_bits) {
  Philox random(1, 1, 0, 0);
  std::vector<double> values{0.0, 1.0 / 3.0, 5e-324, std::numeric_limits<double>::max(), -1e-300, 0.1};
  for (int k = 0; k < 2000; ++k) values.push_back((random.uniform() - 0.5) * std::pow(10.0, random.uniform() * 60.0 - 30.0));

  for (const double value : values) EXPECT_EQ(parse_double(format_double(value), "value"), value);
}

TEST(Text, numbers_may_have_blanks_and_a_sign) {
  EXPECT_EQ(parse_double(" +1.5e2 ", "value"), 150.0);
  EXPECT_EQ(parse_integer("-12", "value"), -12);
}

TEST(Text, numbers_do_not_depend_on_the_locale) {
  const std::string before = std::setlocale(LC_ALL, nullptr);
  bool has_comma = false;
  for (const char* name : {"de_DE.UTF-8", "es_ES.UTF-8", "fr_FR.UTF-8"}) has_comma = has_comma || std::setlocale(LC_ALL, name) != nullptr;
  if (!has_comma) GTEST_SKIP() << "no locale with a decimal comma is installed";

  EXPECT_EQ(parse_double("1.5", "value"), 1.5);
  EXPECT_EQ(format_double(1.5), "1.5");
  std::setlocale(LC_ALL, before.c_str());
}

TEST(Text, what_is_not_a_finite_number_is_refused) {
  for (const char* text : {"", " ", "abc", "1.5x", "1 2", "nan", "inf", "-inf", "1e999", "+-1", "0x10", "--1"})
    EXPECT_THROW(parse_double(text, "value"), FormatError) << "'" << text << "'";
  for (const char* text : {"", "1.5", "99999999999999999999", "1e3", "x"})
    EXPECT_THROW(parse_integer(text, "value"), FormatError) << "'" << text << "'";
}

TEST(Text, messages_say_where_and_what_came) {
  EXPECT_EQ(message_of("abc"), "file.xyz:3: energy: expected a number, got 'abc'");
  EXPECT_EQ(message_of("nan"), "file.xyz:3: energy: expected a finite number, got 'nan'");
}
