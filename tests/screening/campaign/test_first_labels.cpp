#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "../../support/crystals.hpp"
#include "../../support/in_folder.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/io/format.hpp"
#include "tamiz/screening/campaign/first_labels.hpp"

using namespace tamiz;
using namespace tamiz::test_support;

namespace {

Frame frame(double energy, const std::string& split) {
  Frame result{diamond(), {energy, {}, {}, {}}, {}, {}};
  if (!split.empty()) result.info["split"] = split;
  return result;
}

class FirstLabelsOf : public InFolder {
 protected:
  std::filesystem::path written(const std::string& name, const std::vector<Frame>& frames) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    write_frames(folder_ / name, frames);
    return folder_ / name;
  }
};

TEST_F(FirstLabelsOf, several_files_are_split_as_their_frames_say) {
  const std::vector sources{written("a.xyz", {frame(-1.0, "train"), frame(-2.0, "test"), frame(-3.0, "validation")}),
                            written("b.xyz", {frame(-4.0, "train"), frame(-5.0, "")})};

  const FirstLabels labels = read_first_labels(sources);

  ASSERT_EQ(labels.training.size(), 3u);
  EXPECT_EQ(labels.training[2].labels.energy, -5.0);
  ASSERT_EQ(labels.test.size(), 1u);
  EXPECT_EQ(labels.test[0].labels.energy, -2.0);
}

TEST_F(FirstLabelsOf, a_folder_has_a_file_for_each) {
  written("labels/train.xyz", {frame(-1.0, ""), frame(-2.0, "")});
  written("labels/test.xyz", {frame(-3.0, "")});

  const FirstLabels labels = read_first_labels(std::vector{folder_ / "labels"});

  EXPECT_EQ(labels.training.size(), 2u);
  EXPECT_EQ(labels.test.size(), 1u);
}

TEST_F(FirstLabelsOf, nothing_to_test_on_is_an_error) {
  const std::vector sources{written("a.xyz", {frame(-1.0, "train")})};
  EXPECT_THROW(read_first_labels(sources), FormatError);
}

TEST_F(FirstLabelsOf, other_bytes_have_another_hash) {
  const std::vector sources{written("a.xyz", {frame(-1.0, "train")})};
  const std::string before = hash_of_first_labels(sources);
  written("a.xyz", {frame(-1.5, "train")});
  EXPECT_NE(hash_of_first_labels(sources), before);
}

}  // namespace
