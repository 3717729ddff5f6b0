#include "tamiz/screening/report/report.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string_view>
#include <system_error>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/screening/report/page.hpp"
#include "tamiz/screening/report/tables.hpp"

namespace tamiz {

namespace {

using nlohmann::json;

std::string dump(const json& value, int indent) {
  return value.dump(indent, ' ', false, json::error_handler_t::replace);
}

/// JSON that may stand inside a <script> element: `<` occurs only in strings there, so writing it as an
/// escape rules out `</script>` and `<!--` without changing what is read back.
std::string script_safe(const std::string& text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (c == '<') out += "\\u003c";
    else out += c;
  }
  return out;
}

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default: out += c;
    }
  }
  return out;
}

std::string_view page_file(std::string_view name) {
  const auto files = report::page_files();
  const auto found = std::find_if(files.begin(), files.end(), [&](const auto& file) { return file.name == name; });
  if (found == files.end()) {
    throw Error("the report page asks for '" + std::string(name) + "', which is not among the files built into it");
  }
  return found->text;
}

std::string title_of(const json& summary) {
  const auto campaign = summary.find("campaign");
  if (campaign == summary.end() || !campaign->is_object()) return "Tamiz";
  const auto name = campaign->find("name");
  if (name == campaign->end() || !name->is_string()) return "Tamiz";
  // dump replaces what is not UTF-8; the quotes around it are dropped again.
  return json::parse(dump(*name, -1)).get<std::string>() + " · Tamiz";
}

/// What stands for `{{name}}` in the page: the summary, the title, or a file of the page.
std::string expansion(std::string_view name, const json& summary) {
  if (name == "summary") return script_safe(dump(summary, -1));
  if (name == "title") return html_escaped(title_of(summary));
  const auto text = page_file(name);
  return name.ends_with(".json") ? script_safe(dump(json::parse(text), -1)) : std::string(text);
}

void check(const json& summary) {
  if (!summary.is_object()) {
    throw FormatError(std::string("a report is made from a summary object, and this is ") + summary.type_name());
  }
  for (const auto* key : {"funnel", "systems", "competing", "candidates", "rounds", "parity"}) {
    const auto list = summary.find(key);
    if (list == summary.end() || list->is_null()) continue;
    if (!list->is_array()) {
      throw FormatError("'" + std::string(key) + "' of the summary must be a list, and it is " + list->type_name());
    }
    for (const auto& entry : *list) {
      if (entry.is_object()) continue;
      throw FormatError("'" + std::string(key) + "' of the summary must hold objects, and one entry is " +
                        entry.type_name());
    }
  }
}

/// Of candidates that a report before, written during the run, had in its ranking.
void remove_others(const std::filesystem::path& folder, const std::set<std::string>& written) {
  std::vector<std::filesystem::path> others;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const bool is_ours = name.size() > 1 && name[0] == 'c' && name[1] >= '0' && name[1] <= '9' && name.find('_') != std::string::npos;
    const auto extension = entry.path().extension();
    if (is_ours && (extension == ".cif" || extension == ".py") && !written.contains(name)) others.push_back(entry.path());
  }
  for (const auto& path : others) std::filesystem::remove(path);
}

void write_structures(const json& summary, const std::filesystem::path& folder) {
  std::set<std::string> written;
  for (const auto* candidate : report::ranked_candidates(summary)) {
    const auto stem = report::file_stem(*candidate);
    const auto write = [&](const char* key, const char* extension) {
      const auto text = candidate->find(key);
      if (text == candidate->end() || !text->is_string()) return;
      const auto& content = text->get_ref<const std::string&>();
      if (content.empty()) return;
      write_file_atomically(folder / (stem + extension), content);
      written.insert(stem + extension);
    };
    write("cif", ".cif");
    write("gpaw_input", ".py");
  }
  remove_others(folder, written);
}

}  // namespace

std::string render_report(const json& summary) {
  check(summary);
  const auto page = page_file("report.html");
  std::string out;
  std::size_t at = 0;
  while (true) {
    const auto open = page.find("{{", at);
    out += page.substr(at, open == std::string_view::npos ? open : open - at);
    if (open == std::string_view::npos) return out;
    const auto close = page.find("}}", open);
    if (close == std::string_view::npos) throw Error("the report page has '{{' without '}}'");
    out += expansion(page.substr(open + 2, close - open - 2), summary);
    at = close + 2;
  }
}

void write_report(const json& summary, const std::filesystem::path& run_folder) {
  const auto html = render_report(summary);
  const auto structures = run_folder / "structures";
  std::error_code failure;
  std::filesystem::create_directories(structures, failure);
  if (failure) throw FileError("cannot create " + structures.string() + ": " + failure.message());
  write_structures(summary, structures);
  write_file_atomically(run_folder / "ranking.csv", report::ranking_csv(summary));
  write_file_atomically(run_folder / "ranking.json", dump(report::ranking_json(summary), 1) + "\n");
  write_file_atomically(run_folder / "report.json", dump(summary, 1) + "\n");
  write_file_atomically(run_folder / "report.html", html);
}

}  // namespace tamiz
