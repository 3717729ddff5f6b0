#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "tamiz/core/base/error.hpp"
#include "tamiz/screening/campaign/records.hpp"

namespace tamiz {
namespace {

using nlohmann::json;

std::string refused(const std::vector<json>& records) {
  try {
    CampaignHistory::from_records(records);
  } catch (const FormatError& error) {
    return error.what();
  }
  return "";
}

CampaignStart start() {
  CampaignStart start;
  start.config_text = "[campaign]";
  start.settings = R"({"name":"x"})";
  start.model = R"({"file":"m"})";
  return start;
}

TEST(Records, a_start_reads_back) {
  const CampaignHistory history = CampaignHistory::from_records({to_json(start())});

  ASSERT_TRUE(history.start.has_value());
  EXPECT_EQ(history.start->config_text, "[campaign]");
  EXPECT_EQ(history.start->settings, R"({"name":"x"})");
}

TEST(Records, a_ledger_that_does_not_begin_with_a_campaign_is_refused) {
  EXPECT_NE(refused({{{"kind", "labels"}}}).find("holds no campaign"), std::string::npos);
}

TEST(Records, those_of_another_version_are_refused_and_named) {
  EXPECT_NE(refused({{{"kind", "campaign"}, {"config", ""}}}).find("earlier version"), std::string::npos);

  const std::string message = refused({to_json(start()), {{"kind", "trained"}, {"round", 0}}});

  EXPECT_NE(message.find("record 2 (trained)"), std::string::npos) << message;
  EXPECT_NE(message.find("steps"), std::string::npos) << message;
}

TEST(Records, vibrations_read_back_with_what_was_not_calculated) {
  VibrationRecord unstable, lone, refused;
  unstable.candidate = "c0001";
  unstable.lowest = -1.5;
  unstable.wave_vector = Vec3(0.5, 0.0, 1.0 / 3.0);
  unstable.copies = {2, 1, 3};
  lone.candidate = "c0002";
  lone.lowest = std::numeric_limits<double>::infinity();
  lone.stable = true;
  refused.candidate = "c0003";
  refused.reason = "the model relaxes it into another crystal";
  std::vector<json> records{to_json(start())};
  for (const VibrationRecord* each : {&unstable, &lone, &refused}) {
    records.push_back(json::parse(to_json(*each).dump()));
    records.back()["kind"] = "vibrations";
  }

  const auto read = CampaignHistory::from_records(records).vibrations;

  ASSERT_EQ(read.size(), 3u);
  EXPECT_EQ(read[0].candidate, "c0001");
  EXPECT_EQ(read[0].lowest, -1.5);
  EXPECT_EQ(read[0].wave_vector, unstable.wave_vector);
  EXPECT_EQ(read[0].copies, unstable.copies);
  EXPECT_FALSE(read[0].stable);
  EXPECT_TRUE(std::isinf(read[1].lowest) && read[1].stable);
  EXPECT_EQ(read[2].reason, refused.reason);
  EXPECT_TRUE(CampaignHistory::from_records({to_json(start())}).vibrations.empty());
}

}  // namespace
}  // namespace tamiz
