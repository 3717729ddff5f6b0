#include <gtest/gtest.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <limits>

#include "../../support/crystals.hpp"
#include "../../support/hdf5_leaks.hpp"
#include "../../support/in_folder.hpp"
#include "../../support/labelled_frames.hpp"
#include "../../support/random_cells.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/io/archive.hpp"
#include "tamiz/core/io/archive_frame.hpp"
#include "tamiz/core/io/data_set.hpp"
#include "tamiz/core/io/format.hpp"

using namespace tamiz;
using namespace tamiz::test_support;

namespace {

class DataSetFile : public InFolder {
 protected:
  const std::filesystem::path path_ = folder_ / "set.h5";
};

/// A frame of 1 to 9 atoms with some labels, a function of its number.
Frame frame_of(std::uint64_t number) {
  Philox random(37, k_stream_of_tests, number, 0);
  Frame frame = labelled_frame(number, random);
  frame.info["id"] = "frame/" + std::to_string(number);
  frame.info["core seconds"] = std::to_string(number) + ".5";
  if (number % 2) frame.info["unicode = \"text\""] = "Å";
  if (number % 5 == 0) frame.info["empty"] = "";
  if (number % 7 == 0) frame.info["not the shortest form"] = "1.50";
  return frame;
}

DataSet sample(std::uint64_t n) {
  DataSet data{{{"name", "sample"}, {"licence", "CC-BY-4.0"}}, {}, {}};
  for (std::uint64_t k = 0; k < n; ++k) data.frames.push_back(frame_of(k));
  Frame failure{diamond(), {}, {{"reason", "no convergence"}}, {}};
  data.failures.push_back(failure);
  return data;
}

void expect_same(const DataSet& found, const DataSet& expected) {
  EXPECT_EQ(found.card, expected.card);
  ASSERT_EQ(found.frames.size(), expected.frames.size());
  ASSERT_EQ(found.failures.size(), expected.failures.size());
  for (std::size_t k = 0; k < expected.frames.size(); ++k) {
    EXPECT_EQ(detail::frame_hash(found.frames[k]), detail::frame_hash(expected.frames[k])) << k;
    EXPECT_EQ(found.frames[k].info, expected.frames[k].info);
  }
  EXPECT_EQ(detail::frame_hash(found.failures[0]), detail::frame_hash(expected.failures[0]));
}

void overwrite(const std::filesystem::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes; }

std::string message_of_reading(const std::filesystem::path& path) {
  try {
    read_data_set(path);
  } catch (const FormatError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

void expect_refused(const std::filesystem::path& path, const Frame& frame, const std::string& why) {
  try {
    write_data_set(path, {{}, {frame}, {}});
    ADD_FAILURE() << why;
  } catch (const FormatError& error) {
    EXPECT_NE(std::string(error.what()).find(why), std::string::npos) << error.what();
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

}  // namespace

TEST_F(DataSetFile, everything_reads_back_to_the_last_bit) {
  write_data_set(path_, sample(50));

  expect_same(read_data_set(path_), sample(50));
}

TEST_F(DataSetFile, an_empty_one_is_one) {
  write_data_set(path_, {});

  const DataSet data = read_data_set(path_);

  EXPECT_TRUE(data.frames.empty() && data.failures.empty() && data.card.empty());
  EXPECT_TRUE(is_data_set(path_));
}

TEST_F(DataSetFile, the_same_content_makes_the_same_bytes) {
  write_data_set(path_, sample(20));
  write_data_set(folder_ / "again.h5", sample(20));

  EXPECT_EQ(read_file(path_), read_file(folder_ / "again.h5"));
}

TEST_F(DataSetFile, is_read_as_a_structure_file_beside_archives) {
  write_data_set(path_, sample(10));
  write_archive(folder_ / "archive.h5", sample(10).frames);

  EXPECT_EQ(read_frames(path_).size(), 10u);
  EXPECT_EQ(read_frames(folder_ / "archive.h5").size(), 10u);
  EXPECT_FALSE(is_data_set(folder_ / "archive.h5"));
  EXPECT_THROW(read_data_set(folder_ / "archive.h5"), FormatError);
}

TEST_F(DataSetFile, is_a_fraction_of_an_archive_of_the_same_frames) {
  write_data_set(path_, sample(200));
  write_archive(folder_ / "archive.h5", sample(200).frames);

  EXPECT_LT(3 * std::filesystem::file_size(path_), std::filesystem::file_size(folder_ / "archive.h5"));
}

TEST_F(DataSetFile, a_truncated_file_is_an_error_wherever_it_ends) {
  write_data_set(path_, sample(6));
  const std::string whole = read_file(path_);

  for (std::size_t length = 0; length + 1 < whole.size(); length += 211) {
    overwrite(path_, whole.substr(0, length));
    EXPECT_NE(message_of_reading(path_), "nothing was thrown") << length;
  }
}

TEST_F(DataSetFile, a_changed_byte_is_found_or_was_not_in_use) {
  write_data_set(path_, sample(6));
  const std::string whole = read_file(path_);
  int found = 0;

  for (std::size_t at = 0; at < whole.size(); at += 61) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
    overwrite(path_, bytes);
    try {
      expect_same(read_data_set(path_), sample(6));
    } catch (const FormatError&) {
      ++found;
    }
  }

  EXPECT_GT(found, 20);
}

TEST_F(DataSetFile, what_it_cannot_hold_is_refused_by_name) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  Frame frame = frame_of(3);
  frame.arrays["magmoms"] = Eigen::MatrixXd::Zero(static_cast<Eigen::Index>(frame.structure.size()), 1);
  expect_refused(path_, frame, "magmoms (frame/3)");
  frame = frame_of(3);
  frame.labels.energy = nan;
  expect_refused(path_, frame, "energy that is not finite");
  frame = frame_of(3);
  (*frame.labels.forces)(0, 1) = nan;
  expect_refused(path_, frame, "forces that are not finite");
  frame = frame_of(3);
  frame.info["a/b"] = "1";
  expect_refused(path_, frame, "'a/b'");
  frame = frame_of(3);
  frame.info["zero"] = std::string("a\0b", 3);
  expect_refused(path_, frame, "zero byte");
}

TEST_F(DataSetFile, a_full_disk_is_an_error_and_the_old_file_stays) {
  write_data_set(path_, sample(3));
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{20000, 20000};
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      write_data_set(path_, sample(2000));
    } catch (const FileError&) {
      _exit(3);
    }
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);

  EXPECT_EQ(WEXITSTATUS(status), 3);
  expect_same(read_data_set(path_), sample(3));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(DataSetFile, killed_while_it_is_written_the_old_one_stays) {
  write_data_set(path_, sample(3));
  for (const int milliseconds : {1, 5, 20, 60}) {
    const pid_t child = fork();
    if (child == 0) {
      write_data_set(path_, sample(3000));
      _exit(0);
    }
    usleep(static_cast<useconds_t>(1000 * milliseconds));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    const std::size_t n = read_data_set(path_).frames.size();
    EXPECT_TRUE(n == 3u || n == 3000u) << n;
  }
}
