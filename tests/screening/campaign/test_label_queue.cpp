#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "tamiz/screening/campaign/label_run.hpp"
#include "tamiz/screening/campaign/stage_label.hpp"
#include "tamiz/screening/oracle/worker_oracle.hpp"

namespace tamiz {
namespace {

namespace fs = std::filesystem;

const std::string k_script = std::string(TAMIZ_TEST_DATA) + "/screening/oracle/workers/odd_worker.py";

/// A worker that counts its attempts in its state, and is done in the third.
class Attempts : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(folder_); }
  void TearDown() override { fs::remove_all(folder_); }

  LabelResult ask(const std::string& mode, double timeout, bool retry_failed = true, const std::string& id = "one") const {
    Coordinates positions = Coordinates::Zero(1, 3);
    const Structure structure(Lattice(Mat3::Identity() * 4.0), k_periodic, {Element(14)}, Cartesian{positions});
    const LabelRequest request{.id = id, .structure = structure, .task = LabelTask::relax, .level = "odd",
                               .settings = R"({"mode":")" + mode + "\"}", .timeout = timeout};
    Ledger ledger(ledger_);
    WorkerOracle oracle("odd", {TAMIZ_PYTHON, k_script, "well"}, 1, folder_ / "scratch");
    return run_labels(oracle, ledger, std::span(&request, 1), retry_failed, [] { return false; }).results.at(0).value();
  }
  std::size_t n_states() const {
    if (!fs::exists(states_)) return 0;
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(states_), fs::directory_iterator()));
  }

  fs::path folder_ = fs::temp_directory_path() / ("tamiz-queue-" + std::to_string(::getpid()));
  fs::path ledger_ = folder_ / "ledger.tz", states_ = folder_ / "ledger.tz.unfinished";
};

TEST_F(Attempts, what_ran_out_of_time_goes_on_when_it_is_asked_for_again) {
  EXPECT_EQ(ask("keeps_a_state", 0.3).status, LabelStatus::timed_out);
  EXPECT_EQ(n_states(), 1u);
  EXPECT_EQ(ask("keeps_a_state", 0.3, false).status, LabelStatus::timed_out);
  EXPECT_EQ(n_states(), 1u) << "it was not asked for again";
  EXPECT_EQ(ask("keeps_a_state", 0.6).status, LabelStatus::timed_out);

  const LabelResult last = ask("keeps_a_state", 5.0);

  EXPECT_EQ(last.status, LabelStatus::finished) << last.reason;
  EXPECT_EQ(nlohmann::json::parse(last.properties).at("number"), 3);
  EXPECT_EQ(n_states(), 0u);
  EXPECT_FALSE(fs::exists(states_));
}

TEST_F(Attempts, the_last_words_of_a_worker_that_dies_are_kept) {
  EXPECT_EQ(ask("dies_with_a_state", 20.0).status, LabelStatus::failed);
  EXPECT_EQ(n_states(), 1u);
}

TEST(Machine, is_to_blame_for_failures_without_a_number_but_not_twice_for_one_crystal) {
  CampaignHistory history;
  std::vector<LabelOrder> orders;
  const auto fail = [&](std::size_t k, const char* properties = "{}") {
    LabelRecord label{0, orders[k].candidate, orders[k].task, {}};
    label.result.status = LabelStatus::failed;
    label.result.properties = properties;
    history.labels.push_back(label);
  };
  const auto n_open = [&] { return open_orders(history, orders, 0).size(); };
  const Structure crystal(Lattice(Mat3::Identity() * 4.0), k_periodic, {Element(14)}, Cartesian{Coordinates::Zero(1, 3)});
  for (const char* name : {"a", "b"}) orders.push_back({name, LabelTask::relax, crystal});
  EXPECT_FALSE(nothing_was_calculated(history, 0));
  EXPECT_EQ(n_open(), 2u);

  fail(0);
  EXPECT_EQ(n_open(), 2u) << "one was not asked for, and the other may be the machine's fault";
  fail(1);
  EXPECT_TRUE(nothing_was_calculated(history, 0));
  EXPECT_EQ(n_open(), 2u);

  fail(0, R"({"cut_off": true})");
  EXPECT_TRUE(nothing_was_calculated(history, 0)) << "a full disk says nothing of a crystal";
  EXPECT_EQ(n_open(), 2u);
  fail(0);
  EXPECT_FALSE(nothing_was_calculated(history, 0));
  EXPECT_EQ(n_open(), 1u) << "stopped between two second tries";
  fail(1);
  EXPECT_EQ(n_open(), 0u);
  EXPECT_FALSE(nothing_was_calculated(history, 0));
}

TEST(Machine, is_not_to_blame_where_a_second_try_finished) {
  CampaignHistory history;
  const Structure crystal(Lattice(Mat3::Identity() * 4.0), k_periodic, {Element(14)}, Cartesian{Coordinates::Zero(1, 3)});
  const std::vector<LabelOrder> orders{{"a", LabelTask::relax, crystal}, {"b", LabelTask::relax, crystal}};
  for (const auto& [candidate, status] : {std::pair("a", LabelStatus::failed), {"b", LabelStatus::failed}, {"a", LabelStatus::finished}}) {
    history.labels.push_back({0, candidate, LabelTask::relax, {}});
    history.labels.back().result.status = status;
  }

  EXPECT_FALSE(nothing_was_calculated(history, 0));
  ASSERT_EQ(open_orders(history, orders, 0).size(), 1u);
  EXPECT_EQ(open_orders(history, orders, 0).front().candidate, "b");
}

TEST_F(Attempts, a_known_label_is_found_by_every_id_it_was_asked_for_under) {
  const auto labels_of = [&](const std::string& id) {
    const auto records = Ledger::read(ledger_);
    return std::ranges::count_if(records, [&](const nlohmann::json& record) { return record.at("kind") == "label" && record.at("id") == id; });
  };
  for (int k = 0; k < 2; ++k) {
    ask("well", 5.0);
    EXPECT_TRUE(ask("well", 5.0, true, "two").cached);
  }
  EXPECT_EQ(labels_of("one"), 1);
  EXPECT_EQ(labels_of("two"), 1);
  const nlohmann::json again = Ledger::read(ledger_).back();
  EXPECT_EQ(again.at("cached"), true);
  EXPECT_EQ(again.at("cost"), 0.0);
  EXPECT_TRUE(again.contains("frame"));
}

TEST_F(Attempts, a_state_that_a_kill_left_beside_its_label_goes) {
  ask("well", 5.0);
  fs::create_directories(states_);
  const std::string key = Ledger::read(ledger_).back().at("key");
  std::ofstream(states_ / (key + ".json")) << "{}";

  EXPECT_TRUE(ask("well", 5.0).cached);

  EXPECT_FALSE(fs::exists(states_));
}

}  // namespace
}  // namespace tamiz
