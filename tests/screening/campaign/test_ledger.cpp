#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/log.hpp"
#include "tamiz/core/base/philox.hpp"
#include "tamiz/screening/campaign/ledger.hpp"

namespace tamiz {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class LedgerFile : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder = fs::temp_directory_path() / ("tamiz-ledger-" + std::string(test->name()) + "-" + std::to_string(::getpid()));
    fs::remove_all(folder);
    path = folder / "ledger.tz";
  }
  void TearDown() override { fs::remove_all(folder); }

  void write_three() const {
    Ledger ledger(path);
    for (int k = 0; k < 3; ++k) ledger.append({{"kind", "label"}, {"k", k}, {"energy", -1.0 / (k + 3)}});
  }
  void overwrite(const std::string& bytes) const { std::ofstream(path, std::ios::binary) << bytes; }
  std::string error_on_opening() const {
    try {
      Ledger ledger(path);
    } catch (const FormatError& error) {
      return error.what();
    }
    return {};
  }

  fs::path folder, path;
};

TEST_F(LedgerFile, gives_back_what_was_appended) {
  const json record{{"kind", "label"}, {"text", "Å \n \" \\"}, {"none", nullptr}, {"list", {1, -2, 3.5}}};

  {
    Ledger ledger(path);
    ledger.append(record);
    EXPECT_EQ(ledger.records(), std::vector<json>{record});
  }

  EXPECT_EQ(Ledger(path).records(), std::vector<json>{record});
  EXPECT_EQ(Ledger::read(path), std::vector<json>{record});
}

TEST_F(LedgerFile, numbers_read_back_to_the_same_bits) {
  Philox random(7, 1, 0, 0);
  std::vector<double> numbers{0.0, -0.0, 0.1, std::numeric_limits<double>::denorm_min(), std::numeric_limits<double>::max()};
  while (numbers.size() < 2000) {
    const std::uint64_t high = random.bits();
    const double value = std::bit_cast<double>((high << 32) | random.bits());
    if (std::isfinite(value)) numbers.push_back(value);
  }

  Ledger(path).append({{"kind", "x"}, {"numbers", numbers}});
  const auto back = Ledger::read(path).at(0).at("numbers").get<std::vector<double>>();

  ASSERT_EQ(back.size(), numbers.size());
  for (std::size_t k = 0; k < numbers.size(); ++k)
    EXPECT_EQ(std::bit_cast<std::uint64_t>(back[k]), std::bit_cast<std::uint64_t>(numbers[k])) << numbers[k];
}

TEST_F(LedgerFile, refuses_records_that_cannot_be_read_back) {
  Ledger ledger(path);

  EXPECT_THROW(ledger.append(json::array()), FormatError);
  EXPECT_THROW(ledger.append({{"no", "kind"}}), FormatError);
  EXPECT_THROW(ledger.append({{"kind", "x"}, {"deep", {{"energy", std::nan("")}}}}), NumericsError);

  EXPECT_TRUE(ledger.records().empty());
  EXPECT_EQ(fs::file_size(path), 0U);
}

TEST_F(LedgerFile, holds_records_of_megabytes) {
  const json record{{"kind", "big"}, {"text", std::string(5 << 20, 'x')}, {"numbers", std::vector<double>(200000, 0.1)}};

  Ledger(path).append(record);

  EXPECT_EQ(Ledger::read(path).at(0), record);
}

TEST_F(LedgerFile, a_file_cut_anywhere_keeps_its_whole_records) {
  write_three();
  const std::string bytes = read_file(path);
  const auto level = log::level();
  log::set_level(log::Level::error);  // one warning for each cut

  for (std::size_t length = 0; length <= bytes.size(); ++length) {
    overwrite(bytes.substr(0, length));
    const auto n_whole = std::count(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(length), '\n');
    ASSERT_EQ(std::ssize(Ledger::read(path)), n_whole) << "cut at " << length;
    Ledger ledger(path);
    ASSERT_EQ(std::ssize(ledger.records()), n_whole) << "cut at " << length;
    ledger.append({{"kind", "after"}});
    ASSERT_EQ(std::ssize(Ledger::read(path)), n_whole + 1) << "cut at " << length;
  }
  log::set_level(level);
}

TEST_F(LedgerFile, a_tail_of_zeros_is_cut_off) {
  write_three();
  const std::string bytes = read_file(path);

  overwrite(bytes + bytes.substr(0, 20) + std::string(3000, '\0'));

  EXPECT_EQ(Ledger(path).records().size(), 3U);
  EXPECT_EQ(read_file(path), bytes);
}

TEST_F(LedgerFile, every_altered_byte_is_found_and_its_line_named) {
  write_three();
  const std::string bytes = read_file(path);

  for (std::size_t k = 0; k < bytes.size(); ++k) {
    for (const char flip : {char(0x01), char(0x20), char(0x80)}) {
      std::string altered = bytes;
      altered[k] = static_cast<char>(altered[k] ^ flip);
      overwrite(altered);
      const auto line = 1 + std::count(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(k), '\n');
      const std::string error = error_on_opening();
      ASSERT_NE(error.find("ledger.tz:" + std::to_string(line) + ":"), std::string::npos) << "byte " << k << ": " << error;
      ASSERT_EQ(read_file(path), altered) << "a damaged ledger must be left as it is";
    }
  }
}

TEST_F(LedgerFile, a_missing_line_end_inside_is_damage) {
  write_three();
  std::string bytes = read_file(path);

  bytes.erase(bytes.find('\n'), 1);
  overwrite(bytes);

  EXPECT_NE(error_on_opening().find("ledger.tz:1:"), std::string::npos);
}

TEST_F(LedgerFile, has_one_writer) {
  Ledger first(path);
  first.append({{"kind", "x"}});

  try {
    Ledger second(path);
    FAIL() << "the second writer was let in";
  } catch (const FileError& error) {
    EXPECT_NE(std::string(error.what()).find("in use by another process"), std::string::npos);
  }

  EXPECT_EQ(Ledger::read(path).size(), 1U) << "readers need no lock";
}

TEST_F(LedgerFile, the_lock_ends_with_its_process) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    Ledger ledger(path);
    ledger.append({{"kind", "child"}});
    if (::write(pipe[1], "x", 1) != 1) ::_exit(1);
    ::pause();
  }
  char ready = 0;
  ASSERT_EQ(::read(pipe[0], &ready, 1), 1);

  EXPECT_THROW(Ledger{path}, FileError);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);

  EXPECT_EQ(Ledger(path).records().size(), 1U);
}

// Whatever append returned for is there after a kill; each writer continues the count of the one before.
TEST_F(LedgerFile, survives_being_killed_while_it_writes) {
  Philox random(11, 1, 0, 0);
  fs::create_directories(folder);
  const fs::path returned = folder / "returned";
  const auto n_returned = [&] {
    std::ifstream file(returned);
    std::size_t n = 0;
    for (std::size_t k = 0; file >> k;) ++n;
    return n;
  };
  // A slow build (sanitizers) writes little between two kills: it gets more of them, and more time.
  for (int round = 0; round < 25 || n_returned() <= 25; ++round) {
    ASSERT_LT(round, 200) << "the writer does not get anywhere";
    const pid_t child = ::fork();
    if (child == 0) {
      Ledger ledger(path);
      for (std::size_t k = ledger.records().size();; ++k) {
        ledger.append({{"kind", "count"}, {"k", k}, {"filling", std::string(k % 7 * 9000, 'f')}});
        std::ofstream(returned, std::ios::app) << k << std::endl;
      }
    }
    ::usleep(static_cast<useconds_t>((2000 + random.below(30000)) * static_cast<std::uint64_t>(1 + round / 25)));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }

  const auto records = Ledger(path).records();

  ASSERT_GT(records.size(), 25U) << "too little was written to be a test";
  for (std::size_t k = 0; k < records.size(); ++k) ASSERT_EQ(records[k].at("k"), k);
  std::ifstream file(returned);
  std::size_t last = 0;
  for (std::size_t k = 0; file >> k;) last = k;
  EXPECT_GE(records.size(), last + 1) << "an append that had returned is lost";
}

// RLIMIT_FSIZE makes write fail like a full disk; in a process of its own, since it is not taken back.
TEST_F(LedgerFile, a_full_disk_is_reported_and_loses_nothing) {
  write_three();
  const std::string bytes = read_file(path);
  const pid_t child = ::fork();
  if (child == 0) {
    Ledger ledger(path);
    const rlimit limit{bytes.size() + 40, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    try {
      ledger.append({{"kind", "too big"}, {"text", std::string(1000, 'x')}});
      ::_exit(1);
    } catch (const FileError&) {
    }
    if (ledger.records().size() != 3 || read_file(path) != bytes) ::_exit(2);
    const rlimit room{bytes.size() + 4000, RLIM_INFINITY};
    ::setrlimit(RLIMIT_FSIZE, &room);
    ledger.append({{"kind", "small"}});
    ::_exit(ledger.records().size() == 4 ? 0 : 3);
  }
  int status = 0;
  ::waitpid(child, &status, 0);

  ASSERT_TRUE(WIFEXITED(status)) << "ended by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(Ledger(path).records().size(), 4U);
}

TEST_F(LedgerFile, names_the_file_that_cannot_be_opened) {
  fs::create_directories(path);

  EXPECT_THROW(Ledger{path}, FileError);
  EXPECT_THROW(Ledger::read(folder / "missing.tz"), FileError);
}

}  // namespace
}  // namespace tamiz
