#include "tamiz/screening/campaign/first_labels.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iterator>
#include <utility>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/hash.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/io/format.hpp"
#include "tamiz/core/io/splits.hpp"
#include "tamiz/screening/campaign/data_set_recipe.hpp"

namespace tamiz {
namespace {

using Path = std::filesystem::path;

bool is_recipe(const Path& source) { return source.extension() == ".toml"; }

void append(std::vector<Frame>& frames, std::vector<Frame> more) {
  frames.insert(frames.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

/// What the frames and their splits follow from, wherever the recipe has it from.
std::string bytes_of(const DataSetRecipe& recipe) {
  std::string bytes = fmt::format("{} {} {}", fmt::join(recipe.test_systems, ","), fmt::join(recipe.test_compositions, ","), recipe.validation);
  for (const auto& [element, energy] : recipe.references) bytes += fmt::format(" {} {}", element.symbol(), energy);
  const DataSetRecipe::Weights& w = recipe.weights;
  bytes += fmt::format(" {} {} {} {}", w.energy, w.forces, w.stress, w.energy_of_metals);
  for (const auto& [element, weight] : w.energy_of_metals_with) bytes += fmt::format(" {} weighs {}", element.symbol(), weight);
  if (recipe.smearing) bytes += fmt::format(" smearing {}", *recipe.smearing);
  for (const Path& ledger : recipe.ledgers) bytes += read_file(ledger);
  return bytes;
}

}  // namespace

FirstLabels read_first_labels(std::span<const Path> sources) {
  FirstLabels labels;
  for (const Path& source : sources) {
    if (std::filesystem::is_directory(source)) {
      append(labels.training, read_frames(source / "train.xyz"));
      append(labels.test, read_frames(source / "test.xyz"));
    } else {
      const std::vector<Frame> frames = is_recipe(source) ? make_data_set(DataSetRecipe::read(source)).frames : read_frames(source);
      append(labels.training, of_split_or_none(frames, "train"));
      append(labels.test, of_split(frames, "test"));
    }
  }
  std::vector<std::string> names;
  for (const Path& source : sources) names.push_back(source.string());
  for (const auto& [what, frames] : {std::pair("train", &labels.training), std::pair("test", &labels.test)})
    if (frames->empty())
      throw FormatError(fmt::format("{}: none of the frames is of the split {}: a campaign trains its model on the first labels, too, and tests "
                                    "what it still knows of them", joined(names), what));
  return labels;
}

std::string hash_of_first_labels(std::span<const Path> sources) {
  std::string bytes;
  for (const Path& source : sources) {
    if (std::filesystem::is_directory(source)) bytes += read_file(source / "train.xyz") + read_file(source / "test.xyz");
    else bytes += is_recipe(source) ? bytes_of(DataSetRecipe::read(source)) : read_file(source);
  }
  return hash_hex(bytes);
}

}  // namespace tamiz
