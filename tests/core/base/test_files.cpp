#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <string>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"

using namespace tamiz;

namespace {

/// A folder of its own for each test.
class Files : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("tamiz-files-" + std::to_string(getpid()) + "-" + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::size_t n_entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_), {}));
  }

  std::filesystem::path folder_;
};

/// Files of this process cannot grow beyond `bytes` while this lives: a write fails as on a full disk.
class LargestFile {
 public:
  explicit LargestFile(rlim_t bytes) : handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~LargestFile() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int);
};

std::string message_of_write(const std::filesystem::path& path, std::string_view bytes) {
  try {
    write_file_atomically(path, bytes);
  } catch (const FileError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_F(Files, a_read_that_fails_is_an_error) {
  EXPECT_THROW(read_file("/proc/self/mem"), FileError);  // opens, and cannot be read at its beginning
}

TEST_F(Files, files_are_read_whole_whatever_their_size) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{65536}, std::size_t{300001}}) {
    std::string bytes(size, 'x');
    if (size > 0) bytes.back() = '\0';
    write_file_atomically(folder_ / "bytes", bytes);
    EXPECT_TRUE(read_file(folder_ / "bytes") == bytes) << size;
  }
  EXPECT_FALSE(read_file("/proc/self/status").empty());  // says that it has no size
}

TEST_F(Files, what_was_written_reads_back_to_the_last_byte) {
  std::string bytes;
  for (unsigned k = 0; k < 100000; ++k) bytes += static_cast<char>(k * k % 256);

  write_file_atomically(folder_ / "file", bytes);

  EXPECT_EQ(read_file(folder_ / "file"), bytes);
  EXPECT_EQ(n_entries(), 1u);
}

TEST_F(Files, an_existing_file_is_replaced_as_a_whole) {
  write_file_atomically(folder_ / "file", std::string(1000, 'a'));
  write_file_atomically(folder_ / "file", "b");

  EXPECT_EQ(read_file(folder_ / "file"), "b");
}

TEST_F(Files, a_reader_keeps_the_old_file_while_it_is_replaced) {
  write_file_atomically(folder_ / "file", "old");
  std::filesystem::create_hard_link(folder_ / "file", folder_ / "held");
  write_file_atomically(folder_ / "file", "new");

  EXPECT_EQ(read_file(folder_ / "held"), "old");
}

TEST_F(Files, permissions_follow_the_mask_of_the_user) {
  for (const mode_t mask : {mode_t{0022}, mode_t{0077}, mode_t{0002}}) {
    const mode_t before = umask(mask);
    write_file_atomically(folder_ / std::to_string(mask), "x");
    umask(before);

    struct stat info {};
    ASSERT_EQ(stat((folder_ / std::to_string(mask)).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777u, 0666u & ~mask);
  }
}

TEST_F(Files, a_full_disk_leaves_the_old_file_and_nothing_else) {
  write_file_atomically(folder_ / "file", "old");
  const LargestFile limit(4096);

  const std::string message = message_of_write(folder_ / "file", std::string(100000, 'x'));

  EXPECT_NE(message.find("cannot write " + (folder_ / "file").string()), std::string::npos) << message;
  EXPECT_EQ(read_file(folder_ / "file"), "old");
  EXPECT_EQ(n_entries(), 1u);
}

TEST_F(Files, a_full_device_is_an_error_and_stays_a_device) {
  ASSERT_TRUE(std::filesystem::is_character_file("/dev/full"));

  EXPECT_NE(message_of_write("/dev/full", "x").find("No space left on device"), std::string::npos);
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/full"));
}

TEST_F(Files, the_target_of_a_link_is_replaced_and_not_the_link) {
  std::filesystem::create_directory(folder_ / "data");
  write_file_atomically(folder_ / "data" / "file", "old");
  std::filesystem::create_symlink("data/file", folder_ / "link");

  write_file_atomically(folder_ / "link", "new");

  EXPECT_TRUE(std::filesystem::is_symlink(folder_ / "link"));
  EXPECT_EQ(read_file(folder_ / "data" / "file"), "new");
}

TEST_F(Files, a_file_name_without_folder_means_the_current_one) {
  const auto before = std::filesystem::current_path();
  std::filesystem::current_path(folder_);
  write_file_atomically("plain", "x");
  std::filesystem::current_path(before);

  EXPECT_EQ(read_file(folder_ / "plain"), "x");
}

TEST_F(Files, folders_and_missing_places_are_errors_with_the_path) {
  EXPECT_NE(message_of_write(folder_, "x").find(folder_.string()), std::string::npos);
  EXPECT_NE(message_of_write(folder_ / "missing" / "file", "x").find("No such file"), std::string::npos);
  EXPECT_THROW(read_file(folder_), FileError);
  EXPECT_THROW(read_file(folder_ / "missing"), FileError);
}

TEST(DataDirectory, is_what_the_environment_names) {
  ASSERT_EQ(setenv("TAMIZ_DATA", "/nowhere/at/all", 1), 0);
  EXPECT_THROW(data_directory(), FileError);
  unsetenv("TAMIZ_DATA");

  EXPECT_TRUE(std::filesystem::is_directory(data_directory() / "prototypes"));
}

TEST_F(Files, what_a_library_writes_takes_its_place_at_once_or_not_at_all) {
  const auto path = folder_ / "data.h5";
  std::filesystem::create_symlink("data.h5", folder_ / "link");
  write_file_beside(path, [&](const std::filesystem::path& part) {
    EXPECT_FALSE(std::filesystem::exists(path));
    write_file_atomically(part, "first");
  });
  write_file_beside(folder_ / "link", [](const std::filesystem::path& part) { write_file_atomically(part, "second"); });
  const auto fails = [](const std::filesystem::path& part) {
    write_file_atomically(part, "half");
    throw FileError("the disk is full");
  };

  EXPECT_THROW(write_file_beside(path, fails), FileError);
  EXPECT_THROW(write_file_beside(folder_, fails), FileError);
  EXPECT_EQ(read_file(path), "second");
  EXPECT_TRUE(std::filesystem::is_symlink(folder_ / "link"));
  EXPECT_EQ(n_entries(), 2u);
}

TEST_F(Files, what_another_process_is_writing_stays) {
  const std::string of_this = ".report.html." + std::to_string(::getpid()) + "-3.part", of_none = ".report.html.999999999-3.part";
  for (const std::string& name : {of_this, of_none}) write_file_atomically(folder_ / name, "half");

  remove_unfinished_writes(folder_);

  EXPECT_TRUE(std::filesystem::exists(folder_ / of_this));
  EXPECT_FALSE(std::filesystem::exists(folder_ / of_none));
}

TEST_F(Files, unfinished_writes_are_removed_and_nothing_else) {
  const auto path = folder_ / "model.safetensors";
  write_file_atomically(path, "whole");
  write_file_atomically(folder_ / "mine.part", "not one of those");
  write_file_atomically(folder_ / ".hidden", "not one of those");
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // The limit kills in the middle of the write.
    std::signal(SIGXFSZ, SIG_DFL);
    const rlimit limit{4096, 4096};
    setrlimit(RLIMIT_FSIZE, &limit);
    write_file_atomically(path, std::string(8192, 'x'));
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  ASSERT_EQ(n_entries(), 4u);

  remove_unfinished_writes(folder_);

  EXPECT_EQ(n_entries(), 3u);
  EXPECT_EQ(read_file(path), "whole");
  EXPECT_NO_THROW(remove_unfinished_writes(folder_ / "absent"));
}
