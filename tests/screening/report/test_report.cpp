#include "tamiz/screening/report/report.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <regex>
#include <string>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/screening/report/tables.hpp"

namespace {

using nlohmann::json;

json fixture() {
  return json::parse(tamiz::read_file(std::string(TAMIZ_TEST_DATA) + "/screening/report/summary.json"));
}

std::filesystem::path fresh_folder(const std::string& name) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("tamiz_report_" + name);
  std::filesystem::remove_all(folder);
  return folder;
}

/// Content of the element `<script type="application/json" id="...">`.
std::string data_block(const std::string& html, const std::string& id) {
  const std::string open = "<script type=\"application/json\" id=\"" + id + "\">";
  const auto begin = html.find(open);
  if (begin == std::string::npos) return "";
  const auto from = begin + open.size();
  return html.substr(from, html.find("</script", from) - from);
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t n = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

TEST(Report, page_carries_the_whole_summary) {
  const auto summary = fixture();

  const auto html = tamiz::render_report(summary);

  EXPECT_EQ(json::parse(data_block(html, "summary")), summary);
}

TEST(Report, page_has_no_unfilled_place) {
  const auto html = tamiz::render_report(fixture());

  EXPECT_EQ(html.find("{{"), std::string::npos);
  EXPECT_EQ(html.substr(0, 15), "<!DOCTYPE html>");
  EXPECT_NE(html.find("</html>"), std::string::npos);
}

TEST(Report, page_loads_nothing_from_outside) {
  auto html = tamiz::render_report(fixture());
  const auto data = data_block(html, "summary");
  html.erase(html.find(data), data.size());

  EXPECT_NE(html.find("Content-Security-Policy\" content=\"default-src 'none'"), std::string::npos);
  EXPECT_FALSE(std::regex_search(html, std::regex(R"((src|href)\s*=\s*["']?(https?:)?//)")));
  EXPECT_FALSE(std::regex_search(html, std::regex(R"(url\(\s*["']?(https?:)?//|@import|<link|<iframe)")));
  EXPECT_FALSE(std::regex_search(html, std::regex(R"(fetch\(|XMLHttpRequest|WebSocket|sendBeacon|import\()")));
}

TEST(Report, names_cannot_end_the_data_block_or_become_markup) {
  auto summary = fixture();
  const std::string hostile = "</script><script>alert(1)</script><!-- <img src=x onerror=alert(2)>";
  summary["campaign"]["name"] = hostile;
  summary["candidates"][0]["formula"] = hostile;
  const auto clean = tamiz::render_report(fixture());

  const auto html = tamiz::render_report(summary);

  EXPECT_EQ(count(html, "</script"), count(clean, "</script"));
  EXPECT_EQ(html.find("<img"), std::string::npos);
  EXPECT_EQ(html.find("<script>alert"), std::string::npos);
  EXPECT_EQ(json::parse(data_block(html, "summary")), summary);
}

TEST(Report, text_that_is_not_utf8_is_shown_with_replacement_characters) {
  auto summary = fixture();
  summary["campaign"]["name"] = "bad \xff byte";

  const auto html = tamiz::render_report(summary);

  EXPECT_EQ(html.find('\xff'), std::string::npos);
  EXPECT_EQ(json::parse(data_block(html, "summary"))["campaign"]["name"], "bad \xEF\xBF\xBD byte");
}

TEST(Report, equal_summaries_give_equal_bytes) {
  EXPECT_EQ(tamiz::render_report(fixture()), tamiz::render_report(fixture()));
}

TEST(Report, five_languages_have_the_same_texts) {
  const auto texts = json::parse(data_block(tamiz::render_report(fixture()), "texts"));

  ASSERT_EQ(texts.size(), 5u);
  for (const auto& [language, entries] : texts.items()) {
    EXPECT_EQ(entries.size(), texts["en"].size()) << language;
    for (const auto& [key, text] : texts["en"].items()) {
      ASSERT_TRUE(entries.contains(key)) << language << " lacks " << key;
      EXPECT_EQ(entries[key].type(), text.type()) << language << ' ' << key;
    }
  }
}

TEST(Report, empty_summary_gives_a_page) {
  EXPECT_EQ(json::parse(data_block(tamiz::render_report(json::object()), "summary")), json::object());
}

TEST(Report, summary_of_the_wrong_shape_is_refused) {
  EXPECT_THROW(tamiz::render_report(json::array()), tamiz::FormatError);
  EXPECT_THROW(tamiz::render_report({{"candidates", "none"}}), tamiz::FormatError);
  EXPECT_THROW(tamiz::render_report({{"rounds", {1, 2}}}), tamiz::FormatError);
}

TEST(WriteReport, every_file_is_there_and_holds_its_data) {
  const auto summary = fixture();
  const auto folder = fresh_folder("files");

  tamiz::write_report(summary, folder);

  EXPECT_EQ(tamiz::read_file(folder / "report.html"), tamiz::render_report(summary));
  EXPECT_EQ(json::parse(tamiz::read_file(folder / "report.json")), summary);
  EXPECT_EQ(tamiz::read_file(folder / "ranking.csv"), tamiz::report::ranking_csv(summary));
  const auto& first = summary["candidates"][0];
  EXPECT_EQ(tamiz::read_file(folder / "structures/c0007_MgSiN2.cif"), first["cif"].get<std::string>());
  EXPECT_EQ(tamiz::read_file(folder / "structures/c0007_MgSiN2.py"), first["gpaw_input"].get<std::string>());
}

TEST(WriteReport, only_ranked_candidates_get_structure_files) {
  auto summary = fixture();
  const auto folder = fresh_folder("ranked_only");
  for (auto& candidate : summary["candidates"]) candidate["cif"] = "data_x\n";

  tamiz::write_report(summary, folder);

  std::size_t n_cif = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder / "structures")) {
    n_cif += entry.path().extension() == ".cif";
  }
  EXPECT_EQ(n_cif, tamiz::report::ranked_candidates(summary).size());
  EXPECT_LT(n_cif, summary["candidates"].size());
}

TEST(WriteReport, files_of_candidates_that_are_ranked_no_more_go_and_others_stay) {
  const auto folder = fresh_folder("twice");
  tamiz::write_report(fixture(), folder);
  for (const char* name : {"c0999_MgO.cif", "c0999_MgO.py", "notes.py", "c_of_mine.cif"}) tamiz::write_file_atomically(folder / "structures" / name, "x");

  tamiz::write_report(fixture(), folder);

  EXPECT_FALSE(std::filesystem::exists(folder / "structures/c0999_MgO.cif"));
  EXPECT_FALSE(std::filesystem::exists(folder / "structures/c0999_MgO.py"));
  EXPECT_TRUE(std::filesystem::exists(folder / "structures/notes.py"));
  EXPECT_TRUE(std::filesystem::exists(folder / "structures/c_of_mine.cif"));
  EXPECT_TRUE(std::filesystem::exists(folder / "structures/c0007_MgSiN2.cif"));
}

TEST(WriteReport, names_stay_inside_the_run_folder) {
  auto summary = fixture();
  summary["candidates"][0]["id"] = "../../escape";
  const auto folder = fresh_folder("inside");

  tamiz::write_report(summary, folder);

  EXPECT_TRUE(std::filesystem::exists(folder / "structures/______escape_MgSiN2.cif"));
  EXPECT_FALSE(std::filesystem::exists(folder.parent_path() / "escape_MgSiN2.cif"));
}

TEST(WriteReport, folder_that_cannot_be_made_is_an_error) {
  const auto folder = fresh_folder("file_in_the_way");
  tamiz::write_report(fixture(), folder);

  EXPECT_THROW(tamiz::write_report(fixture(), folder / "report.html"), tamiz::FileError);
}

TEST(RankingCsv, has_one_line_per_ranked_candidate_in_order_of_rank) {
  auto summary = fixture();
  auto& candidates = summary["candidates"];
  std::reverse(candidates.begin(), candidates.end());

  const auto csv = tamiz::report::ranking_csv(summary);

  EXPECT_EQ(count(csv, "\r\n"), 1 + tamiz::report::ranked_candidates(summary).size());
  EXPECT_LT(csv.find("\r\n1,c0007,MgSiN2,Mg-Si-N,DFT-confirmed"), csv.find("\r\n2,c0031,ZnGeN2"));
  EXPECT_NE(csv.find("\r\n1,"), std::string::npos);
}

TEST(RankingCsv, quotes_what_would_break_a_cell) {
  auto summary = fixture();
  summary["candidates"][0]["decoration"] = "A=\"Mg\",B=Si";

  EXPECT_NE(tamiz::report::ranking_csv(summary).find(",\"A=\"\"Mg\"\",B=Si\","), std::string::npos);
}

TEST(RankingJson, names_the_files_and_leaves_their_texts_out) {
  const auto ranking = tamiz::report::ranking_json(fixture());

  ASSERT_FALSE(ranking["ranking"].empty());
  const auto& first = ranking["ranking"][0];
  EXPECT_EQ(first["files"]["cif"], "structures/c0007_MgSiN2.cif");
  EXPECT_EQ(first["files"]["gpaw"], "structures/c0007_MgSiN2.py");
  EXPECT_FALSE(first.contains("cif"));
  EXPECT_EQ(first["dft"]["e_hull"], 0.0);
}

}  // namespace
