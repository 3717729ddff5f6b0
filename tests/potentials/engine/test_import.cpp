// What a checkpoint of unknown origin may do to the import: be refused with a clear error, and nothing else. That a
// sound one is read as mace-torch reads it is tested in tests/parity.

#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <string>

#include "../../support/zip_writer.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/potentials/engine/import/contraction_basis.hpp"
#include "tamiz/potentials/engine/import/import_mace.hpp"
#include "tamiz/potentials/engine/import/pickle.hpp"
#include "tamiz/potentials/engine/import/record.hpp"
#include "tamiz/potentials/engine/import/torch_checkpoint.hpp"
#include "tamiz/potentials/engine/import/zip_reader.hpp"
#include "tamiz/potentials/engine/model_parameters.hpp"

using namespace tamiz;
using namespace tamiz::importer;
using namespace tamiz::test_support;
using namespace std::string_literals;

namespace {

std::string sample() { return read_file(std::filesystem::path(TAMIZ_TEST_DATA) / "fuzz" / "corpus" / "heads.model"); }

/// The message of the error that `call` throws.
std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

std::string refused_pickle(const std::string& bytes) {
  return refusal([&] { Pickle pickle(bytes); });
}

/// What the import says of a file of torch.save whose pickle is this.
std::string refused_import(const std::string& pickle) {
  return refusal([&] { parse_mace(zip_archive({{"archive/data.pkl", pickle}, {"archive/version", "3\n"}}), "test"); });
}

void expect_has(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << "'" << text << "' does not hold '" << part << "'";
}

std::string repeated(const std::string& piece, std::size_t count) {
  std::string text;
  for (std::size_t k = 0; k < count; ++k) text += piece;
  return text;
}

/// The sample with the first `from` in its pickle replaced.
std::string altered(const std::string& from, const std::string& to) {
  auto entries = zip_entries(sample());
  for (auto& [name, content] : entries) {
    if (!name.ends_with("/data.pkl")) continue;
    const std::size_t place = content.find(from);
    EXPECT_NE(place, std::string::npos) << from;
    content.replace(place, from.size(), to);
  }
  return zip_archive(entries);
}

}  // namespace

TEST(Import, reads_the_sample) {
  const ModelFile model = parse_mace(sample(), "sample", {.head = "b", .card = {{"level", "PBE"}}});

  EXPECT_EQ(model.description.elements.size(), 2u);
  EXPECT_EQ(model.description.channels, 1);
  EXPECT_EQ(model.description.hidden_l, 1);
  EXPECT_EQ(model.description.distance_transform, "agnesi");
  EXPECT_EQ(model.description.repulsion, model.description.scale);
  EXPECT_EQ(model.card.entries.at("level"), "PBE");
  EXPECT_EQ(model.card.entries.at("heads"), "a, b");
  EXPECT_NO_THROW(flat_parameters(model));
}

TEST(Import, heads_differ) {
  const ModelFile a = parse_mace(sample(), "sample", {.head = "a"}), b = parse_mace(sample(), "sample", {.head = "b"});

  EXPECT_NE(a.description.atomic_energies, b.description.atomic_energies);
  EXPECT_NE(a.description.scale, b.description.scale);
  EXPECT_NE(flat_parameters(a), flat_parameters(b));
  expect_has(refusal([] { parse_mace(sample(), "sample"); }), "has the heads a, b: choose one");
}

// Asks for os.system("touch …"), as `__reduce__` of a hostile class does.
TEST(Import, what_a_pickle_would_run_is_not_run) {
  const auto trace = std::filesystem::temp_directory_path() / "tamiz-import-was-here";
  std::filesystem::remove(trace);
  const std::string command = "touch " + trace.string();
  const std::string pickle =
      "\x80\x02"s + "cposix\nsystem\n" + "X" + static_cast<char>(command.size()) + "\0\0\0"s + command + "\x85R.";

  const std::string message = refused_import(pickle);

  expect_has(message, "'posix.system', expected mace.modules.models.MACE");
  EXPECT_FALSE(std::filesystem::exists(trace));
}

TEST(Import, what_hides_within_a_model_is_not_run) {
  const std::string message = refusal([] {
    parse_mace(altered("mace.modules.blocks\nRadialEmbeddingBlock", "posix\nsystem"), "sample", {.head = "a"});
  });

  expect_has(message, "radial_embedding is of class 'posix.system'");
}

TEST(Import, every_cut_is_an_error) {
  const std::string whole = sample();
  for (std::size_t size = 0; size < whole.size(); size += 997)
    EXPECT_NE(refusal([&] { parse_mace(whole.substr(0, size), "cut", {.head = "a"}); }), "") << size;
}

TEST(Import, every_cut_of_the_pickle_is_an_error) {
  auto entries = zip_entries(sample());
  std::string* pickle = nullptr;
  for (auto& [name, content] : entries)
    if (name.ends_with("/data.pkl")) pickle = &content;
  ASSERT_NE(pickle, nullptr);
  const std::string whole = *pickle;
  for (std::size_t size = 0; size < whole.size(); size += 211)
    EXPECT_NE(refused_pickle(whole.substr(0, size)), "") << size;
}

TEST(Import, a_changed_byte_of_a_tensor_is_noticed) {
  std::string bytes = sample();
  const std::size_t place = bytes.find("/data/0");
  ASSERT_NE(place, std::string::npos);
  bytes[place + 200] = static_cast<char>(bytes[place + 200] ^ 1);

  const std::string message = refusal([&] { parse_mace(bytes, "changed", {.head = "a"}); });

  expect_has(message, "another checksum");
}

TEST(Import, says_what_a_file_is_instead) {
  expect_has(refusal([] { parse_mace("no zip", "text"); }), "not a zip archive");
  expect_has(refusal([] { parse_mace(zip_archive({{"a/b", "c"}}), "zip"); }), "holds no 'data.pkl'");
  expect_has(refusal([] { parse_mace(zip_archive({{"m/data.pkl", "N."}, {"m/constants.pkl", ""}}), "script"); }),
             "TorchScript");
  expect_has(refused_import("}."), "a dictionary");
  expect_has(refused_import("N."), "holds no model");
  expect_has(refused_import("cmace.modules.models\nAtomicDipolesMACE\n)\x81."),
             "'mace.modules.models.AtomicDipolesMACE'");
}

TEST(Import, names_what_is_not_supported) {
  const auto said = [](const std::string& from, const std::string& to) {
    return refusal([&] { parse_mace(altered(from, to), "sample", {.head = "a"}); });
  };

  expect_has(said("RealAgnosticDensityInteractionBlock", "RealAgnosticAttResidualInteractionBlock"),
             "'mace.modules.blocks.RealAgnosticAttResidualInteractionBlock', which is not supported");
  expect_has(said("BesselBasis", "ChebychevBasis"), "ChebychevBasis");
  expect_has(said("cmace.modules.radial\nAgnesiTransform", "cmace.modules.radial\nOther"),
             "'mace.modules.radial.Other'");
  expect_has(said("ctorch.nn.functional\nsilu", "ctorch.nn.functional\ntanh"), "'tanh', expected silu");
  expect_has(said("r_max", "s_max"), "has no 'r_max'");
}

TEST(ZipReader, refuses_compressed_entries) {
  const std::string bytes = zip_archive({{"a/data.pkl", std::string(100, 'x')}}, 8);

  expect_has(refusal([&] { ZipReader(bytes).read("a/data.pkl"); }), "is compressed");
}

TEST(ZipReader, refuses_sizes_beyond_the_file) {
  std::string bytes = zip_archive({{"a", "content"}});
  const std::size_t entry = bytes.find("PK\x01\x02");
  for (const std::size_t field : {20u, 24u}) bytes.replace(entry + field, 4, "\xfe\xff\xff\xff");  // both sizes

  expect_has(refusal([&] { ZipReader(bytes).read("a"); }), "beyond the end");
}

TEST(ZipReader, refuses_two_entries_of_one_name) {
  std::string bytes = zip_archive({{"aa", "1"}, {"ab", "2"}});
  bytes.replace(bytes.rfind("ab"), 2, "aa");

  expect_has(refusal([&] { ZipReader zip(bytes); }), "two entries named 'aa'");
}

TEST(ZipReader, crc_is_that_of_the_standard) { EXPECT_EQ(crc32("123456789"), 0xcbf43926u); }

TEST(Pickle, keeps_calls_as_records) {
  const std::string bytes = "cos\nsystem\nX\x02\0\0\0ls\x85R."s;

  const Pickle pickle(bytes);
  const Record root(pickle, pickle.root(), "");

  EXPECT_EQ(root.type(), "os.system");
  EXPECT_EQ(root.arguments().at(0).text(), "ls");
}

TEST(Pickle, a_list_may_hold_itself) {
  const std::string bytes = "]q\0h\0a."s;

  const Pickle pickle(bytes);
  const Record root(pickle, pickle.root(), "");

  EXPECT_EQ(root.items().at(0).items().at(0).items().size(), 1u);
}

TEST(Pickle, a_tensor_of_itself_is_refused) {
  // _rebuild_parameter(x) with x the tuple that holds it.
  const std::string pickle = "ctorch._utils\n_rebuild_parameter\n]q\0h\0aR."s;

  expect_has(refused_import(pickle), "'torch._utils._rebuild_parameter'");
}

TEST(Pickle, depth_costs_no_stack) {
  const std::string bytes = repeated("]", 300000) + repeated("a", 299999) + ".";

  EXPECT_NO_THROW(Pickle pickle(bytes));
}

TEST(Pickle, asks_for_no_more_than_it_brings) {
  expect_has(refused_pickle(repeated("N", 2000000) + "."), "more than 1048576 values");
  expect_has(refused_pickle("N" + repeated("2", 10000000) + "."), "references");
  expect_has(refused_pickle(repeated("(", 10000000) + "."), "references");
  expect_has(refused_pickle("]q\0"s + repeated("(" + repeated("h\0"s, 1000) + "e", 9000) + "."), "references");
  expect_has(refused_pickle("B\xff\xff\xff\x7f."s), "ends within a value");
  expect_has(refused_pickle("\x8e\xff\xff\xff\xff\xff\xff\xff\xff."s), "ends within a value");
  expect_has(refused_pickle("\x8a\xff."s), "an integer of 255 bytes");
}

TEST(Pickle, refuses_what_is_out_of_place) {
  expect_has(refused_pickle("."), "missing on the stack");
  expect_has(refused_pickle("(."), "missing on the stack");
  expect_has(refused_pickle("N(0."), "missing on the stack");  // would pop beneath the mark
  expect_has(refused_pickle("t."), "a mark is missing");
  expect_has(refused_pickle("h\5."s), "nothing was remembered as 5");
  expect_has(refused_pickle("NNa."), "what is no container");
  expect_has(refused_pickle("}(Nu."), "a key without a value");
  expect_has(refused_pickle("\x80\x09."), "protocol 9");
  expect_has(refused_pickle("i."), "opcode 105");
  expect_has(refused_pickle("N}b."), "what is no object");
  expect_has(refused_pickle("cos\n"), "no end");
}

TEST(TorchCheckpoint, a_tensor_stays_within_its_storage) {
  // torch._utils._rebuild_tensor_v2(('storage', torch.FloatStorage, '0', 'cpu', 4), offset, shape, stride).
  const auto tensor = [](const std::string& offset, const std::string& shape, const std::string& stride) {
    const std::string pickle =
        "ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0"s +
        "0X\x03\0\0\0cpuK\x04tQ"s + offset + shape + stride + "\x89Nt" + "R.";
    const std::string bytes = zip_archive({{"a/data.pkl", pickle}, {"a/data/0", std::string(16, '\0')}});
    const TorchCheckpoint file(bytes);
    return file.tensor(file.root());
  };

  EXPECT_EQ(tensor("K\0"s, "K\x02K\x02\x86", "K\x02K\x01\x86").values.size(), 4u);
  EXPECT_EQ(tensor("K\x03", ")", ")").values.size(), 1u);
  const std::string largest = "\x8a\x08\xff\xff\xff\xff\xff\xff\xff\x7f";
  for (const auto& [offset, shape, stride] :
       std::vector<std::array<std::string, 3>>{{"K\x01", "K\x04\x85", "K\x01\x85"},    // one too far
                                               {"K\0"s, "K\x03\x85", "K\x02\x85"},     // too wide a stride
                                               {"K\0"s, "M\xff\xff\x85", "K\0\x85"s},  // one value over and over
                                               {"J\xff\xff\xff\xff", "K\x01\x85", "K\x01\x85"},
                                               {"K\0"s, "J\xff\xff\xff\xff\x85", "K\x01\x85"},
                                               {largest, "K\x01\x85", "K\x01\x85"},
                                               {"K\0"s, largest + "\x85", "K\x01\x85"},
                                               {"K\0"s, "K\x02\x85", largest + "\x85"},
                                               {"K\0"s, largest + largest + "\x86", largest + largest + "\x86"},
                                               {"K\0"s, "K\x01\x85", ")"},
                                               {"K\x04", ")", ")"}})
    EXPECT_NE(refusal([&] { tensor(offset, shape, stride); }), "");
}

TEST(ContractionBasis, refuses_a_table_that_is_not_invariant) {
  StoredTensor identity{{4, 4, 1}, "float64", std::vector<double>(16, 0.0)}, other = identity;
  for (std::size_t k = 0; k < 4; ++k) identity.values[5 * k] = k == 0 ? 0.5 : 1.0;
  other.values[5] = 1.0;

  const Eigen::MatrixXd found = in_symmetric_basis(identity, 2, 1, 0);

  EXPECT_EQ(found.rows(), 2);
  EXPECT_NEAR(found.norm(), std::sqrt(0.25 + 3.0), 1e-12);
  expect_has(refusal([&] { in_symmetric_basis(other, 2, 1, 0); }), "no invariant map");
  expect_has(refusal([&] { in_symmetric_basis(identity, 2, 2, 0); }), "another shape");
}
