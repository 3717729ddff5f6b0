// Every file of corpus/, and two thousand changed copies for each format, must be read or refused with an error of the
// project: never a crash, another exception or a structure that does not read back. Meant for the sanitizers, too.

#include <gtest/gtest.h>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "../support/hdf5_leaks.hpp"
#include "../support/mutations.hpp"
#include "../support/zip_writer.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/io/archive.hpp"
#include "tamiz/core/io/cif.hpp"
#include "tamiz/core/io/extxyz.hpp"
#include "tamiz/core/io/poscar.hpp"
#include "tamiz/core/io/toml.hpp"
#include "tamiz/potentials/engine/classical/classical.hpp"
#include "tamiz/potentials/engine/import/import_mace.hpp"
#include "tamiz/potentials/engine/model_file.hpp"
#include "tamiz/screening/campaign/config.hpp"
#include "tamiz/screening/campaign/ledger.hpp"

using namespace tamiz;
using namespace tamiz::test_support;

namespace {

constexpr int k_mutations = 2000;
constexpr std::uint32_t k_stream = 1001;

std::vector<std::string> corpus(const std::vector<std::string>& extensions) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(std::filesystem::path(TAMIZ_TEST_DATA) / "fuzz" / "corpus"))
    if (std::find(extensions.begin(), extensions.end(), entry.path().extension()) != extensions.end()) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  std::vector<std::string> texts;
  for (const auto& path : paths) texts.push_back(read_file(path));
  return texts;
}

struct Outcome {
  int read = 0, refused = 0;
};

/// `parse` may return or throw tamiz::Error; anything else fails the test and shows the text.
void try_one(const std::string& text, const std::function<void(const std::string&)>& parse, Outcome& outcome) {
  try {
    parse(text);
    ++outcome.read;
  } catch (const Error& error) {
    ++outcome.refused;
    EXPECT_NE(std::string(error.what()), "") << text;
  } catch (const std::exception& error) {
    ADD_FAILURE() << "not an error of the project: " << error.what() << "\n" << text;
  }
}

Outcome replay(const std::vector<std::string>& texts, const std::function<void(const std::string&)>& parse, int n_mutations = k_mutations) {
  EXPECT_FALSE(texts.empty()) << "the corpus was not found";
  Outcome originals, changed;
  for (const std::string& text : texts) try_one(text, parse, originals);
  EXPECT_EQ(originals.refused, 0) << "a file of the corpus is not read";
  for (int k = 0; k < n_mutations && !texts.empty(); ++k) {
    Philox random(1, k_stream, static_cast<std::uint64_t>(k), 0);
    const std::string& text = texts[random.below(texts.size())];
    const std::string& other = texts[random.below(texts.size())];
    try_one(mutated(text, other, random), parse, changed);
  }
  // Both happen, or the mutations are too weak or too strong to test anything.
  EXPECT_GT(changed.read, 0);
  EXPECT_GT(changed.refused, 0);
  return changed;
}

/// What was read is finite, and what extended XYZ makes of it reads back to the same bits.
void expect_sound(const std::vector<Frame>& frames) {
  const std::vector<Frame> again = parse_extxyz(format_extxyz(frames), "written");
  ASSERT_EQ(again.size(), frames.size());
  for (std::size_t f = 0; f < frames.size(); ++f) {
    ASSERT_TRUE(frames[f].structure.positions().allFinite());
    const bool has_cell = frames[f].structure.lattice().volume() > 0.0;  // a cell without volume is not written
    ASSERT_TRUE(!has_cell || again[f].structure.content_hash() == frames[f].structure.content_hash());
  }
}

/// A folder of this process, removed at its end.
const std::filesystem::path& scratch() {
  struct Folder {
    std::filesystem::path path = std::filesystem::temp_directory_path() / ("tamiz-fuzz-" + std::to_string(getpid()));
    Folder() { std::filesystem::create_directories(path); }
    ~Folder() {
      std::error_code ignored;
      std::filesystem::remove_all(path, ignored);
    }
  };
  static const Folder folder;
  return folder.path;
}

/// Calls `read` with a file of this content.
std::function<void(const std::string&)> through_file(const std::string& name, const std::function<void(const std::filesystem::path&)>& read) {
  return [path = scratch() / name, read](const std::string& text) {
    std::ofstream(path, std::ios::binary) << text;
    read(path);
  };
}

}  // namespace

TEST(Replay, extxyz) {
  replay(corpus({".extxyz"}), [](const std::string& text) { expect_sound(parse_extxyz(text, "fuzz")); });
}

TEST(Replay, cif) {
  replay(corpus({".cif"}), [](const std::string& text) { expect_sound(parse_cif(text, "fuzz")); });
}

TEST(Replay, poscar) {
  replay(corpus({".vasp"}), [](const std::string& text) { expect_sound({parse_poscar(text, "fuzz")}); });
}

TEST(Replay, classical_potentials) {
  replay(corpus({".potential"}), [](const std::string& text) { parse_classical_potential(text, "fuzz"); });
}

TEST(Replay, campaigns) {
  replay(corpus({".campaign"}), through_file("campaign.toml", [](const std::filesystem::path& path) { CampaignConfig::read(path); }));
}

TEST(Replay, formulas) {
  replay({"CaZn2N2", "Ca3(PO4)2", "H2O", "((Mg2Si)3N4)2"}, [](const std::string& text) { Composition::from_formula(text); });
}

TEST(Replay, ledgers) {
  const auto path = scratch() / "ledger.tz";
  std::filesystem::remove(path);
  {
    Ledger ledger(path);
    for (int k = 0; k < 5; ++k) ledger.append({{"kind", "label"}, {"candidate", k}, {"cost", 1.5 * k}});
  }
  replay({read_file(path)}, through_file("changed.tz", [](const std::filesystem::path& changed) { Ledger::read(changed); }));
}

TEST(Replay, archives) {
  const auto path = scratch() / "archive.h5";
  write_archive(path, parse_extxyz(corpus({".extxyz"}).at(0), "corpus"));
  const auto read = through_file("changed.h5", [](const std::filesystem::path& changed) { expect_sound(read_archive(changed)); });
  replay({read_file(path)}, read, 200);
}

TEST(Replay, models) {
  std::string model;
  for (const auto& entry : std::filesystem::directory_iterator(data_directory() / "models"))
    if (entry.path().extension() == ".safetensors") model = read_file(entry.path());
  ASSERT_FALSE(model.empty()) << "no model is shipped";
  const auto read = through_file("changed.safetensors", [](const std::filesystem::path& path) { ModelFile::read(path); });
  Outcome original, changed;
  try_one(model, read, original);
  EXPECT_EQ(original.read, 1);
  // Changes in the header, where the structure is; behind it the checksum sees every one.
  const std::size_t header = std::min<std::size_t>(model.size(), 6000);
  for (int k = 0; k < 300; ++k) {
    Philox random(2, k_stream, static_cast<std::uint64_t>(k), 0);
    const std::string head = mutated(model.substr(0, header), model, random);
    if (head != model.substr(0, header)) try_one(head + model.substr(header), read, changed);
  }
  EXPECT_GT(changed.refused, 100);
}

/// Changes within the archive come with the right checksums, so that they reach what reads the entries.
TEST(Replay, checkpoints) {
  const std::string model = corpus({".model"}).at(0);
  const auto read = [](const std::string& bytes) { parse_mace(bytes, "fuzz", {.head = "a"}); };
  Outcome original, changed;
  try_one(model, read, original);
  EXPECT_EQ(original.read, 1);
  const auto entries = zip_entries(model);
  for (int k = 0; k < k_mutations; ++k) {
    Philox random(3, k_stream, static_cast<std::uint64_t>(k), 0);
    auto parts = entries;
    for (auto& [name, content] : parts)
      if (name.ends_with("/data.pkl") ? random.below(2) == 0 : random.below(40) == 0) content = mutated(content, model, random);
    try_one(k % 4 == 0 ? mutated(model, model, random) : zip_archive(parts), read, changed);
  }
  EXPECT_GT(changed.read, 0);
  EXPECT_GT(changed.refused, 1000);
}
