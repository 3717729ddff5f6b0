// Writes the report of a summary, for the browser tests: render_report_fixture SUMMARY.json FOLDER
#include <exception>
#include <iostream>
#include <nlohmann/json.hpp>

#include "tamiz/core/base/files.hpp"
#include "tamiz/screening/report/report.hpp"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: render_report_fixture SUMMARY.json FOLDER\n";
    return 2;
  }
  try {
    tamiz::write_report(nlohmann::json::parse(tamiz::read_file(argv[1])), argv[2]);
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
  return 0;
}
