#include <gtest/gtest.h>

#include "../../support/crystals.hpp"
#include "tamiz/screening/campaign/ranking.hpp"

namespace tamiz {
namespace {

using namespace test_support;

/// A history of one round in which every structure was relaxed with the given outcome.
CampaignHistory history_of(const std::vector<std::pair<Structure, std::string>>& relaxed, CompetingSet competing) {
  CampaignHistory history;
  history.start.emplace();
  history.start->competing = std::move(competing);
  history.candidates.emplace();
  RoundPrediction prediction;
  for (const auto& [structure, outcome] : relaxed) {
    const std::string id = "c" + std::to_string(history.candidates->size());
    history.candidates->push_back({id, structure, "prototype", "", "", ""});
    prediction.candidates.push_back({.candidate = id, .outcome = outcome, .reason = "", .steps = 1, .structure = structure,
                                     .space_group_number = 1, .space_group = "P1", .energy = {}, .assessment = {}});
  }
  history.predictions.push_back(std::move(prediction));
  return history;
}

CompetingPhase known(const std::string& id, const Structure& structure) { return {id, id, "test", structure, -5.0, 0.0}; }

/// Wurtzite GaN and the elements that every hull needs.
std::vector<CompetingPhase> known_phases() {
  return {known("wz", wurtzite()), known("Ga", crystal(face_centred(4.3), {{"Ga", {0, 0, 0}}})), known("N", crystal(cubic(4.0), {{"N", {0, 0, 0}}}))};
}

const RankedCandidate& entry_of(const std::vector<RankedCandidate>& ranked, const std::string& id) {
  for (const RankedCandidate& entry : ranked)
    if (entry.proposal->id == id) return entry;
  throw std::out_of_range(id);
}

TEST(Ranking, duplicates_are_compared_with_the_known_phases_and_failures_are_not) {
  const CompetingSet competing{known_phases(), {{"Ga-N", {}}}};
  const CampaignHistory history = history_of({{zincblende(), "relaxed"}, {wurtzite().supercell({2, 1, 1}), "duplicate"}, {rocksalt(), "failed"}}, competing);

  const auto ranked = rank(history);

  EXPECT_TRUE(entry_of(ranked, "c0").compared);
  EXPECT_EQ(entry_of(ranked, "c0").known_as, "");
  EXPECT_TRUE(entry_of(ranked, "c1").compared);
  EXPECT_EQ(entry_of(ranked, "c1").known_as, "wz");
  EXPECT_FALSE(entry_of(ranked, "c2").compared);
}

TEST(Ranking, nothing_is_new_where_known_phases_lack_a_geometry) {
  const CompetingSet competing{known_phases(), {{"Ga-N", {"rocksalt GaN"}}}};
  const CampaignHistory history = history_of({{zincblende(), "relaxed"}, {wurtzite(), "relaxed"}}, competing);

  const auto ranked = rank(history);

  EXPECT_EQ(entry_of(ranked, "c0").outcome, "hull incomplete");
  EXPECT_FALSE(entry_of(ranked, "c0").compared);
  EXPECT_EQ(entry_of(ranked, "c1").known_as, "wz");
  EXPECT_TRUE(entry_of(ranked, "c1").compared);
}

}  // namespace
}  // namespace tamiz
