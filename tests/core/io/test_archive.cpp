#include <gtest/gtest.h>

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "../../support/crystals.hpp"
#include "../../support/hdf5_leaks.hpp"
#include "../../support/in_folder.hpp"
#include "../../support/labelled_frames.hpp"
#include "../../support/random_cells.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/io/archive.hpp"
#include "tamiz/core/io/archive_frame.hpp"
#include "tamiz/core/io/format.hpp"

using namespace tamiz;
using namespace tamiz::test_support;

namespace {

class ArchiveFile : public InFolder {
 protected:
  const std::filesystem::path path_ = folder_ / "frames.h5";
};

/// A frame of 1 to 9 atoms with some labels, a function of its number.
Frame frame_of(std::uint64_t number) {
  Philox random(31, k_stream_of_tests, number, 0);
  Frame frame = labelled_frame(number, random);
  frame.info["number"] = std::to_string(number);
  if (number % 2) frame.info["unicode = \"empty\""] = "Å";
  if (number % 5 == 0) frame.info["empty"] = "";
  if (number % 2 == 0) frame.arrays["magnetic moments"] = rattled(frame.structure, 0.5, random).positions();
  return frame;
}

std::vector<Frame> frames_of(std::uint64_t begin, std::uint64_t end) {
  std::vector<Frame> frames;
  for (std::uint64_t k = begin; k < end; ++k) frames.push_back(frame_of(k));
  return frames;
}

void expect_frames(const std::filesystem::path& path, std::uint64_t n) {
  const std::vector<Frame> frames = read_archive(path);
  ASSERT_EQ(frames.size(), n);
  for (std::uint64_t k = 0; k < n; ++k) ASSERT_EQ(detail::frame_hash(frames[k]), detail::frame_hash(frame_of(k))) << k;
}

void overwrite(const std::filesystem::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes; }

std::string message_of_reading(const std::filesystem::path& path) {
  try {
    read_archive(path);
  } catch (const FormatError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

/// Runs `body` in a process of its own; returns how it ended (waitpid's status).
template <typename Body>
pid_t start(const Body& body) {
  const pid_t child = fork();
  if (child == 0) {
    body();
    _exit(0);
  }
  return child;
}

}  // namespace

TEST_F(ArchiveFile, frames_read_back_to_the_last_bit) {
  write_archive(path_, frames_of(0, 20));

  const std::vector<Frame> frames = read_archive(path_);

  ASSERT_EQ(frames.size(), 20u);
  for (std::uint64_t k = 0; k < 20; ++k) {
    const Frame expected = frame_of(k);
    EXPECT_EQ(frames[k].structure.content_hash(), expected.structure.content_hash());
    EXPECT_EQ(frames[k].labels.energy, expected.labels.energy);
    EXPECT_EQ(frames[k].labels.free_energy, expected.labels.free_energy);
    EXPECT_EQ(frames[k].labels.forces, expected.labels.forces);
    EXPECT_EQ(frames[k].labels.stress, expected.labels.stress);
    EXPECT_EQ(frames[k].info, expected.info);
    EXPECT_EQ(frames[k].arrays, expected.arrays);
  }
}

TEST_F(ArchiveFile, every_kind_of_cell_is_held) {
  std::vector<Frame> frames;
  for (const NamedStructure& each : sample_cells(std::vector<Element>{Element(14)}, 2.3)) frames.push_back({each.structure, {}, {}, {}});
  frames.push_back({Structure(Lattice(), k_molecule, {Element(118)}, Cartesian{Coordinates::Constant(1, 3, -0.0)}), {}, {}, {}});
  write_archive(path_, frames);

  const std::vector<Frame> again = read_archive(path_);

  ASSERT_EQ(again.size(), frames.size());
  for (std::size_t k = 0; k < frames.size(); ++k) EXPECT_EQ(again[k].structure.content_hash(), frames[k].structure.content_hash());
}

TEST_F(ArchiveFile, grows_frame_by_frame_and_after_it_was_closed) {
  {
    Archive archive = Archive::create(path_);
    for (std::uint64_t k = 0; k < 5; ++k) archive.append(frame_of(k));
    EXPECT_EQ(archive.size(), 5u);
    EXPECT_EQ(detail::frame_hash(archive.read(3)), detail::frame_hash(frame_of(3)));
  }
  {
    Archive archive = Archive::open(path_);
    EXPECT_EQ(archive.size(), 5u);
    archive.append(frames_of(5, 12));
  }
  expect_frames(path_, 12);
}

TEST_F(ArchiveFile, holds_more_frames_than_a_block_of_its_index) {
  const Frame small{diamond(), {}, {}, {}};
  Archive archive = Archive::create(path_);
  archive.append(std::vector<Frame>(2047, small));
  archive.append(std::vector<Frame>(3, frame_of(7)));

  EXPECT_EQ(archive.size(), 2050u);
  EXPECT_EQ(detail::frame_hash(archive.read(2046)), detail::frame_hash(small));
  EXPECT_EQ(detail::frame_hash(archive.read(2049)), detail::frame_hash(frame_of(7)));
  archive = Archive::create(folder_ / "other.h5");  // closes the first
  EXPECT_EQ(Archive::open(path_).size(), 2050u);
}

TEST_F(ArchiveFile, the_same_frames_make_the_same_bytes) {
  write_archive(path_, frames_of(0, 8));
  write_archive(folder_ / "again.h5", frames_of(0, 8));

  EXPECT_TRUE(read_file(path_) == read_file(folder_ / "again.h5"));
}

TEST_F(ArchiveFile, is_a_format_of_the_registry) {
  write_frames(path_, frames_of(0, 3));

  EXPECT_EQ(format_for(path_).name, "archive");
  EXPECT_EQ(read_frames(path_).size(), 3u);
}

TEST_F(ArchiveFile, an_empty_archive_has_no_frames) {
  write_archive(path_, {});

  EXPECT_TRUE(read_archive(path_).empty());
}

TEST_F(ArchiveFile, a_truncated_file_is_an_error_wherever_it_ends) {
  write_archive(path_, frames_of(0, 6));
  const std::string whole = read_file(path_);
  ASSERT_GT(whole.size(), 10000u);
  std::vector<std::size_t> lengths{0, 4, 8, 20, 48, 96, 4096, whole.size() - 1};
  for (std::size_t k = 1; k < 30; ++k) lengths.push_back(whole.size() * k / 30);

  for (const std::size_t length : lengths) {
    overwrite(path_, whole.substr(0, length));
    const std::string message = message_of_reading(path_);
    EXPECT_NE(message.find("truncated"), std::string::npos) << length << ": " << message;
    EXPECT_TRUE(message.starts_with(path_.string() + ": ")) << message;
  }
}

TEST_F(ArchiveFile, a_changed_byte_is_found_or_was_not_in_use) {
  write_archive(path_, frames_of(0, 6));
  const std::string whole = read_file(path_);
  std::vector<std::string> hashes;
  for (std::uint64_t k = 0; k < 6; ++k) hashes.push_back(detail::frame_hash(frame_of(k)));
  Philox random(32, k_stream_of_tests, 0, 0);

  int n_found = 0;
  for (int trial = 0; trial < 500; ++trial) {
    std::string changed = whole;
    std::size_t at = random.below(whole.size());
    while (whole[at] == 0 && random.below(20) != 0) at = random.below(whole.size());  // most of a table is empty
    changed[at] = static_cast<char>(changed[at] ^ (1 << random.below(8)));
    overwrite(path_, changed);
    try {
      const std::vector<Frame> frames = read_archive(path_);
      ASSERT_EQ(frames.size(), hashes.size()) << at;
      for (std::size_t k = 0; k < frames.size(); ++k) ASSERT_EQ(detail::frame_hash(frames[k]), hashes[k]) << at;
    } catch (const FormatError&) {
      ++n_found;
    }
  }
  EXPECT_GT(n_found, 300);
}

TEST_F(ArchiveFile, a_changed_number_is_a_checksum_error_of_its_frame) {
  write_archive(path_, frames_of(0, 6));
  std::string bytes = read_file(path_);
  const double coordinate = frame_of(4).structure.positions()(0, 0);
  const std::size_t at = bytes.find(std::string(reinterpret_cast<const char*>(&coordinate), 8));
  ASSERT_NE(at, std::string::npos);
  bytes[at] = static_cast<char>(bytes[at] ^ 1);
  overwrite(path_, bytes);

  const std::string message = message_of_reading(path_);

  EXPECT_NE(message.find("checksum"), std::string::npos) << message;
  EXPECT_NE(message.find("frame 4"), std::string::npos) << message;
}

TEST_F(ArchiveFile, exchanged_rows_of_the_index_are_found) {
  write_archive(path_, frames_of(0, 2));
  std::string bytes = read_file(path_);
  // The block is the page that begins with two rows of 16 bytes in use and goes on with empty ones.
  const auto in_use = [&](std::size_t at) { return bytes.compare(at, 16, std::string(16, '\0')) != 0; };
  std::size_t block = 4096;
  while (block + 4096 <= bytes.size() && !(in_use(block) && in_use(block + 16) && !in_use(block + 32) && !in_use(block + 2048))) block += 4096;
  ASSERT_LT(block + 4096, bytes.size());
  std::swap_ranges(bytes.begin() + static_cast<std::ptrdiff_t>(block), bytes.begin() + static_cast<std::ptrdiff_t>(block) + 16,
                   bytes.begin() + static_cast<std::ptrdiff_t>(block) + 16);
  overwrite(path_, bytes);

  EXPECT_NE(message_of_reading(path_).find("frame 0: checksum"), std::string::npos) << message_of_reading(path_);
}

TEST_F(ArchiveFile, survives_being_killed_while_it_grows) {
  std::uint64_t n_before = 0;
  Archive::create(path_);
  for (int round = 0; round < 25; ++round) {
    int pipe_ends[2];
    ASSERT_EQ(pipe(pipe_ends), 0);
    const pid_t child = start([&] {
      Archive archive = Archive::open(path_);
      for (std::uint64_t k = archive.size();; ++k) {
        archive.append(frame_of(k));
        const std::uint64_t done = k + 1;
        if (write(pipe_ends[1], &done, sizeof done) != sizeof done) _exit(1);
      }
    });
    close(pipe_ends[1]);
    std::uint64_t reported = n_before;
    Philox random(33, k_stream_of_tests, static_cast<std::uint64_t>(round), 0);
    const std::uint64_t stop_after = n_before + 1 + random.below(4);
    while (reported < stop_after && read(pipe_ends[0], &reported, sizeof reported) == sizeof reported) {
    }
    usleep(static_cast<useconds_t>(random.below(3000)));
    kill(child, SIGKILL);
    while (read(pipe_ends[0], &reported, sizeof reported) == sizeof reported) {
    }
    close(pipe_ends[0]);
    waitpid(child, nullptr, 0);

    const std::uint64_t n = Archive::open_read_only(path_).size();
    ASSERT_GE(n, reported);      // what was reported is there
    ASSERT_LE(n, reported + 1);  // and at most the one that was being written
    expect_frames(path_, n);
    n_before = n;
  }
  EXPECT_GE(n_before, 25u);
}

TEST_F(ArchiveFile, a_full_disk_is_an_error_and_loses_nothing) {
  write_archive(path_, frames_of(0, 3));
  const auto size = std::filesystem::file_size(path_);
  // In a process of its own: SIGXFSZ is ignored there, so that a write beyond the limit fails.
  const pid_t child = start([&] {
    signal(SIGXFSZ, SIG_IGN);
    Archive archive = Archive::open(path_);
    const rlimit limit{size + 100, size + 100};
    setrlimit(RLIMIT_FSIZE, &limit);
    try {
      archive.append(frames_of(3, 200));
    } catch (const FileError&) {
      _exit(7);
    }
  });
  int status = 0;
  waitpid(child, &status, 0);

  EXPECT_EQ(WEXITSTATUS(status), 7);
  expect_frames(path_, 3);
}

TEST_F(ArchiveFile, a_second_writer_is_refused_while_the_first_has_it_open) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = start([&] {
    Archive first = Archive::create(path_);
    first.append(frame_of(0));
    if (write(ready[1], "x", 1) == 1) pause();
  });
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);

  try {
    Archive::open(path_);
    ADD_FAILURE() << "nothing was thrown";
  } catch (const FileError& error) {
    EXPECT_NE(std::string(error.what()).find("another program"), std::string::npos) << error.what();
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  close(ready[0]);
  close(ready[1]);
  expect_frames(path_, 1);
}

TEST_F(ArchiveFile, what_is_no_archive_is_refused_by_name) {
  overwrite(path_, "this is not HDF5 at all");
  EXPECT_NE(message_of_reading(path_).find("no HDF5 archive"), std::string::npos);
  EXPECT_THROW(read_archive(folder_ / "missing.h5"), FileError);
  EXPECT_THROW(read_archive(folder_), FileError);
}

TEST_F(ArchiveFile, an_existing_archive_is_not_created_again) {
  write_archive(path_, frames_of(0, 1));

  EXPECT_THROW(Archive::create(path_), FileError);
  EXPECT_THROW(Archive::open_read_only(path_).append(frame_of(1)), FileError);
  EXPECT_THROW(Archive::open(path_).read(1), ShapeError);
  expect_frames(path_, 1);
}

TEST_F(ArchiveFile, text_that_cannot_be_held_is_refused_and_nothing_is_added) {
  Archive archive = Archive::create(path_);
  Frame zero = frame_of(0), slash = frame_of(0);
  zero.info["key"] = std::string("a\0b", 3);
  slash.arrays["a/b"] = Eigen::MatrixXd::Zero(5, 1);

  EXPECT_THROW(archive.append(zero), FormatError);
  EXPECT_THROW(archive.append(slash), FormatError);
  EXPECT_EQ(archive.size(), 0u);
  archive.append(frame_of(0));
  EXPECT_EQ(detail::frame_hash(archive.read(0)), detail::frame_hash(frame_of(0)));
}
