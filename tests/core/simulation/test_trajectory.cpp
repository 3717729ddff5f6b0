#include <gtest/gtest.h>

#include <optional>

#include "../../support/crystals.hpp"
#include "../../support/in_folder.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/io/extxyz.hpp"
#include "tamiz/core/simulation/trajectory.hpp"

namespace tamiz {
namespace {

class TrajectoryFile : public test_support::InFolder {
 protected:
  const std::filesystem::path path_ = folder_ / "run.xyz";
  const Frame frame_{test_support::diamond(), {}, {}, {}};
};

TEST_F(TrajectoryFile, goes_on_behind_its_last_whole_frame) {
  {
    Trajectory trajectory = Trajectory::create(path_);
    trajectory.append(frame_);
  }
  write_file_atomically(path_, read_file(path_) + "2\nLattice=");  // torn

  std::optional<Frame> last;
  Trajectory::resume(path_, last).append(frame_);

  EXPECT_TRUE(last.has_value());
  EXPECT_EQ(parse_extxyz(read_file(path_), "memory").size(), 2u);
}

TEST_F(TrajectoryFile, has_one_writer) {
  std::optional<Frame> last;
  {
    const Trajectory trajectory = Trajectory::create(path_);
    EXPECT_THROW(Trajectory::resume(path_, last), FileError);
  }
  EXPECT_NO_THROW(Trajectory::resume(path_, last));
}

TEST_F(TrajectoryFile, cuts_nothing_off_until_it_writes) {
  const std::string torn = format_extxyz(std::span(&frame_, 1)) + "2\nLattice=";
  write_file_atomically(path_, torn);
  std::optional<Frame> last;
  {
    const Trajectory trajectory = Trajectory::resume(path_, last);
  }
  EXPECT_EQ(read_file(path_), torn);
}

}  // namespace
}  // namespace tamiz
