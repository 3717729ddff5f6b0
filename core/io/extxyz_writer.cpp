#include <cctype>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/io/extxyz.hpp"
#include "tamiz/core/io/extxyz_names.hpp"
#include "tamiz/core/io/frame_rows.hpp"

namespace tamiz {
namespace {

using extxyz::is_one_of;
using extxyz::Names;

std::string quoted(const std::string& value) {
  const bool plain = !value.empty() && value.find_first_of(" \t\n\r\v\f\"'=[]{},\\") == std::string::npos;
  if (plain) return value;
  std::string text = "\"";
  for (const char c : value) {
    if (c == '"' || c == '\\') text += '\\';
    text += c == '\n' || c == '\r' ? ' ' : c;
  }
  return text + '"';
}

std::string matrix_text(const Mat3& matrix) {
  std::string text;
  for (int k = 0; k < 9; ++k) text += (k ? " " : "") + format_double(matrix.data()[k]);
  return '"' + text + '"';
}

/// What a frame carries besides its labels reads back as just that: what has the name of a label gets another.
std::string free_name(const std::string& name, const auto& others) {
  static const Names labels{LabelKeys{}};
  static const std::vector<std::string> of_the_format{"Lattice", "Properties", "pbc", "species", "Z", "pos"};
  std::string result = name;
  while (labels.contain(result) || is_one_of(of_the_format, result) || (result != name && others.contains(result))) result = "file_" + result;
  return result;
}

/// Names of columns stand between colons and without quotes.
std::string column_name(std::string name) {
  for (char& c : name)
    if (std::isspace(static_cast<unsigned char>(c)) || std::string_view(":=\"'").find(c) != std::string_view::npos) c = '_';
  return name;
}

/// A name for every array, no two the same.
std::vector<std::string> column_names(const std::map<std::string, Eigen::MatrixXd>& arrays) {
  std::vector<std::string> names;
  for (const auto& [name, array] : arrays) {
    std::string free = free_name(column_name(name), arrays);
    while (is_one_of(names, free)) free += '_';
    names.push_back(std::move(free));
  }
  return names;
}

void require_finite(bool is_finite, const std::string& what) {
  if (!is_finite) throw FormatError("extended XYZ holds finite numbers only: " + what + " has others");
}

void check_writable(const Frame& frame) {
  if (frame.structure.size() == 0) throw FormatError("extended XYZ has no frames without atoms");
  require_rows(frame);
  for (const auto& [name, array] : frame.arrays) require_finite(array.allFinite(), name);
  if (frame.info.contains("")) throw FormatError("extended XYZ has no keys without a name");
  const Labels& labels = frame.labels;
  require_finite(!labels.energy || std::isfinite(*labels.energy), "the energy");
  require_finite(!labels.free_energy || std::isfinite(*labels.free_energy), "the free energy");
  require_finite(!labels.forces || labels.forces->allFinite(), "the matrix of forces");
  require_finite(!labels.stress || labels.stress->allFinite(), "the stress");
}

void append_frame(std::string& text, const Frame& frame) {
  check_writable(frame);
  const Structure& structure = frame.structure;
  text += std::to_string(structure.size()) + "\n";
  std::string header;
  if (!structure.lattice().rows().isZero(0.0)) header += "Lattice=" + matrix_text(structure.lattice().rows()) + " ";
  header += "Properties=species:S:1:pos:R:3";
  if (frame.labels.forces) header += ":forces:R:3";
  const std::vector<std::string> columns = column_names(frame.arrays);
  std::size_t column = 0;
  for (const auto& [name, array] : frame.arrays) {
    if (array.cols() > 0) header += ":" + columns[column] + ":R:" + std::to_string(array.cols());
    ++column;
  }
  for (const auto& [key, value] : frame.info) header += " " + quoted(free_name(key, frame.info)) + "=" + quoted(value);
  if (frame.labels.energy) header += " energy=" + format_double(*frame.labels.energy);
  if (frame.labels.free_energy) header += " free_energy=" + format_double(*frame.labels.free_energy);
  if (frame.labels.stress) header += " stress=" + matrix_text(*frame.labels.stress);
  const Periodicity& p = structure.periodicity();
  header += std::string(" pbc=\"") + (p[0] ? "T" : "F") + (p[1] ? " T" : " F") + (p[2] ? " T" : " F") + "\"";
  text += header + "\n";
  for (Eigen::Index a = 0; a < structure.positions().rows(); ++a) {
    text += structure.species()[static_cast<std::size_t>(a)].symbol();
    const auto append_row = [&](const auto& matrix) {
      for (Eigen::Index k = 0; k < matrix.cols(); ++k) text += " " + format_double(matrix(a, k));
    };
    append_row(structure.positions());
    if (frame.labels.forces) append_row(*frame.labels.forces);
    for (const auto& [name, array] : frame.arrays) append_row(array);
    text += "\n";
  }
}

}  // namespace

std::string format_extxyz(std::span<const Frame> frames) {
  std::string text;
  for (const Frame& frame : frames) append_frame(text, frame);
  return text;
}

}  // namespace tamiz
