#include <gtest/gtest.h>

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

}  // namespace
}  // namespace tamiz
