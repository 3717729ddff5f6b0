#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tamiz/core/base/error.hpp"
#include "tamiz/screening/campaign/ledger.hpp"
#include "tamiz/screening/oracle/label_json.hpp"
#include "tamiz/screening/oracle/replay_oracle.hpp"
#include "tamiz/screening/oracle/stored_labels.hpp"

namespace tamiz {
namespace {

namespace fs = std::filesystem;

LabelRequest request(double distance, LabelTask task = LabelTask::single_point, const std::string& settings = "{}") {
  Coordinates positions(2, 3);
  positions << 0, 0, 0, 0, 0, distance;
  const Structure structure(Lattice(Mat3::Identity() * (10.0 / 3.0)), {true, true, false}, {Element(7), Element(30)},
                            Cartesian{positions});
  return {.id = "asks", .structure = structure, .task = task, .level = "l", .settings = settings, .timeout = 0.0};
}

LabelResult finished(const LabelRequest& request, double energy) {
  Labels labels{.energy = energy, .free_energy = energy - 1.0 / 7.0, .forces = Coordinates::Random(2, 3),
                .stress = Mat3(Mat3::Random() / 3.0)};
  LabelResult result;
  result.id = "stored";
  result.key = request.key();
  result.status = LabelStatus::finished;
  result.frame = Frame{request.structure, labels, {{"config_type", "test"}}, {}};
  result.trajectory = {*result.frame, *result.frame};
  result.trajectory[0].labels.stress.reset();
  result.properties = R"({"gap":1.1,"kpoints":[4,4,4]})";
  result.cost = 12.0 / 7.0;
  return result;
}

LabelResult failed(const LabelRequest& request, const std::string& reason) {
  LabelResult result;
  result.id = "stored";
  result.key = request.key();
  result.reason = reason;
  result.cost = 3.25;
  return result;
}

void expect_same_frame(const Frame& a, const Frame& b) {
  EXPECT_EQ(a.structure.content_hash(), b.structure.content_hash());
  EXPECT_EQ(a.labels.energy, b.labels.energy);
  EXPECT_EQ(a.labels.free_energy, b.labels.free_energy);
  EXPECT_EQ(a.labels.forces, b.labels.forces);
  EXPECT_EQ(a.labels.stress, b.labels.stress);
  EXPECT_EQ(a.info, b.info);
}

class StoredLabels : public testing::Test {
 protected:
  void SetUp() override {
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    folder = fs::temp_directory_path() / ("tamiz-replay-" + std::string(test->name()) + "-" + std::to_string(::getpid()));
  }
  void TearDown() override { fs::remove_all(folder); }

  fs::path store(const std::vector<LabelResult>& labels, const std::string& name = "a.tz") const {
    Ledger ledger(folder / name);
    ledger.append({{"kind", "campaign"}});
    for (const LabelResult& label : labels) {
      nlohmann::json record = label_result_to_json(label);
      record["kind"] = "label";
      ledger.append(record);
    }
    return folder / name;
  }
  static LabelResult ask(Oracle& oracle, const LabelRequest& request) {
    const auto ticket = oracle.submit(request);
    auto results = oracle.poll(0.0);
    EXPECT_EQ(results.size(), 1U);
    EXPECT_EQ(results.at(0).first, ticket);
    return results.at(0).second;
  }

  fs::path folder;
};

TEST(LabelKey, depends_on_structure_task_and_the_meaning_of_the_settings) {
  const std::string key = request(1.0, LabelTask::relax, R"({"a":1,"b":[1.5]})").key();

  EXPECT_EQ(key, request(1.0, LabelTask::relax, "{\"b\": [1.5],\n \"a\": 1}").key());
  EXPECT_NE(key, request(std::nextafter(1.0, 2.0), LabelTask::relax, R"({"a":1,"b":[1.5]})").key());
  EXPECT_NE(key, request(1.0, LabelTask::single_point, R"({"a":1,"b":[1.5]})").key());
  EXPECT_NE(key, request(1.0, LabelTask::relax, R"({"a":1,"b":[1.25]})").key());
  EXPECT_EQ(request(1.0, LabelTask::relax, "").key(), request(1.0, LabelTask::relax, "{}").key());
  EXPECT_THROW(request(1.0, LabelTask::relax, "{").key(), FormatError);
}

TEST(LabelNames, read_back_and_suggest) {
  for (const LabelTask task : {LabelTask::single_point, LabelTask::relax, LabelTask::gap})
    EXPECT_EQ(label_task_from(to_string(task)), task);
  for (const LabelStatus status : {LabelStatus::finished, LabelStatus::failed, LabelStatus::timed_out, LabelStatus::cancelled})
    EXPECT_EQ(label_status_from(to_string(status)), status);
  try {
    label_task_from("relaxx");
    FAIL();
  } catch (const FormatError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean relax?"), std::string::npos) << error.what();
  }
}

TEST_F(StoredLabels, read_back_to_the_same_bits) {
  const LabelResult label = finished(request(2.0), -1.0 / 3.0);

  const LabelResult back = read_stored_labels(store({label})).at(0).result;

  EXPECT_EQ(back.id, label.id);
  EXPECT_EQ(back.key, label.key);
  EXPECT_EQ(back.status, label.status);
  EXPECT_EQ(back.cost, label.cost);
  EXPECT_EQ(back.properties, label.properties);
  expect_same_frame(*back.frame, *label.frame);
  ASSERT_EQ(back.trajectory.size(), 2U);
  for (std::size_t k = 0; k < 2; ++k) expect_same_frame(back.trajectory[k], label.trajectory[k]);
}

TEST_F(StoredLabels, are_replayed_with_results_failures_and_costs) {
  const LabelRequest good = request(2.0), bad = request(0.1), unknown = request(5.0);
  const auto oracle = make_replay_oracle(store({finished(good, -3.0), failed(bad, "exploded")}));

  const LabelResult a = ask(*oracle, good), b = ask(*oracle, bad), c = ask(*oracle, unknown);

  EXPECT_EQ(a.status, LabelStatus::finished);
  EXPECT_EQ(a.id, "asks") << "the id is that of the request";
  EXPECT_EQ(a.cost, 12.0 / 7.0);
  EXPECT_EQ(*a.frame->labels.energy, -3.0);
  EXPECT_EQ(b.status, LabelStatus::failed);
  EXPECT_EQ(b.reason, "exploded");
  EXPECT_EQ(b.cost, 3.25);
  EXPECT_EQ(c.status, LabelStatus::failed);
  EXPECT_EQ(c.reason, "not in the replay set");
  EXPECT_EQ(c.cost, 0.0);
}

TEST_F(StoredLabels, are_replayed_by_name_for_another_geometry) {
  Ledger ledger(folder / "named.tz");
  for (const auto& [task, energy] : {std::pair(LabelTask::relax, -3.0), std::pair(LabelTask::gap, -4.0)}) {
    nlohmann::json record = label_result_to_json(finished(request(2.0, task), energy));
    record["kind"] = "label";
    record["task"] = to_string(task);
    ledger.append(record);
    record["id"] = "twin";  // another name of the same crystal
    record["cached"] = true;
    ledger.append(record);
  }
  const auto oracle = make_named_replay_oracle(folder / "named.tz");
  LabelRequest asked = request(2.3, LabelTask::relax, R"({"other":1})");
  asked.info["name"] = "stored";
  LabelRequest gap = request(2.4, LabelTask::gap), single = request(2.0), nameless = request(2.0, LabelTask::relax), unknown = asked;
  gap.info = single.info = asked.info;
  unknown.info["name"] = "another";

  const LabelResult answer = ask(*oracle, asked);

  EXPECT_EQ(*answer.frame->labels.energy, -3.0);
  EXPECT_EQ(answer.id, "asks");
  EXPECT_EQ(answer.key, asked.key()) << "two requests of one campaign must not be taken for each other";
  EXPECT_EQ(*ask(*oracle, gap).frame->labels.energy, -4.0);
  for (const LabelRequest& other : {single, nameless, unknown}) EXPECT_EQ(ask(*oracle, other).reason, "not in the replay set");
  nameless.id = "stored";  // as of a file that `tamiz label` is given
  EXPECT_EQ(*ask(*oracle, nameless).frame->labels.energy, -3.0);
  asked.info["name"] = "twin";
  EXPECT_EQ(*ask(*oracle, asked).frame->labels.energy, -3.0);
}

TEST_F(StoredLabels, come_in_the_order_of_the_requests) {
  const auto oracle = make_replay_oracle(store({finished(request(2.0), -2.0), finished(request(1.0), -1.0)}));

  for (const double distance : {1.0, 2.0, 3.0}) oracle->submit(request(distance));
  oracle->cancel(1);
  const auto results = oracle->poll(0.0);

  ASSERT_EQ(results.size(), 3U);
  for (std::int64_t k = 0; k < 3; ++k) EXPECT_EQ(results[static_cast<std::size_t>(k)].first, k);
  EXPECT_EQ(results[0].second.status, LabelStatus::finished);
  EXPECT_EQ(results[1].second.status, LabelStatus::cancelled);
  EXPECT_TRUE(oracle->poll(0.0).empty());
}

TEST_F(StoredLabels, answer_a_key_by_its_first_finished_label) {
  const LabelRequest asked = request(2.0);
  LabelResult copy = finished(asked, -9.0);
  copy.cached = true;
  store({copy, failed(asked, "first try")}, "1.tz");
  store({finished(asked, -1.0), finished(asked, -2.0), failed(asked, "last try")}, "2.tz");

  const auto oracle = make_replay_oracle(folder);

  for (int k = 0; k < 2; ++k) EXPECT_EQ(*ask(*oracle, asked).frame->labels.energy, -1.0);
}

TEST_F(StoredLabels, that_are_missing_or_incomplete_are_errors) {
  LabelResult label = finished(request(2.0), -3.0);
  label.frame.reset();
  fs::create_directories(folder / "empty");

  EXPECT_THROW(make_replay_oracle(folder / "missing.tz"), FileError);
  EXPECT_THROW(make_replay_oracle(folder / "empty"), FileError);
  try {
    make_replay_oracle(store({finished(request(1.0), -1.0), label}));
    FAIL();
  } catch (const FormatError& error) {
    EXPECT_NE(std::string(error.what()).find("a.tz:3: label stored is finished, but has no frame"), std::string::npos) << error.what();
  }
}

TEST(LabelJson, refuses_what_is_not_a_frame) {
  const nlohmann::json good = frame_to_json(*finished(request(2.0), -3.0).frame);
  const auto with = [&](const char* key, nlohmann::json value) {
    nlohmann::json frame = good;
    frame[key] = std::move(value);
    return frame;
  };

  EXPECT_NO_THROW(frame_from_json(good));
  EXPECT_THROW(frame_from_json(nlohmann::json::array()), FormatError);
  EXPECT_THROW(frame_from_json(with("cell", {{1, 0, 0}, {0, 1, 0}})), FormatError);
  EXPECT_THROW(frame_from_json(with("pbc", {1, 1, 0})), FormatError);
  EXPECT_THROW(frame_from_json(with("symbols", {"N"})), FormatError);
  EXPECT_THROW(frame_from_json(with("symbols", {"N", "Xx"})), SpeciesError);
  EXPECT_THROW(frame_from_json(with("positions", {{0, 0, 0}, {0, 0, "1"}})), FormatError);
  EXPECT_THROW(frame_from_json(with("energy", nullptr)), FormatError);
  EXPECT_THROW(frame_from_json(with("forces", {{0, 0, 0}})), FormatError);
  EXPECT_THROW(frame_from_json(with("stress", {1, 2, 3, 4, 5, 6})), FormatError);
}

}  // namespace
}  // namespace tamiz
