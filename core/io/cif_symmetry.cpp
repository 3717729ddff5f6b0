#include "tamiz/core/io/cif_symmetry.hpp"

#include <spglib.h>

#include <Eigen/LU>
#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <map>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/text.hpp"

namespace tamiz {
namespace {

constexpr double k_metric_tolerance = 0.01;  // of the largest entry: files round their cells

std::string without_blanks(std::string_view text) {
  std::string result;
  for (const char c : text)
    if (!std::isspace(static_cast<unsigned char>(c)) && c != '_' && c != '\'' && c != '"') result += c;
  return result;
}

std::string without(char unwanted, std::string text) {
  std::erase(text, unwanted);
  return text;
}

/// With single blanks between its parts, and with '"' for what spglib writes as '='.
std::string hall_symbol_of(std::string_view text) {
  std::string symbol;
  for (const char c : text) {
    const bool blank = c == '_' || std::isspace(static_cast<unsigned char>(c));
    if (blank && (symbol.empty() || symbol.back() == ' ')) continue;
    symbol += blank ? ' ' : c == '=' ? '"' : c;
  }
  if (symbol.ends_with(' ')) symbol.pop_back();
  return symbol;
}

/// One row: terms ±x, ±y, ±z, ±number, ±number/number.
void parse_row(std::string_view row, int index, SymmetryOperation& operation, const std::string& where) {
  const std::string whole = where + ": symmetry operation '" + std::string(row) + "'";
  if (row.empty()) throw FormatError(whole + " is empty");
  std::size_t at = 0;
  while (at < row.size()) {
    double sign = 1.0;
    if (row[at] == '+' || row[at] == '-') sign = row[at++] == '-' ? -1.0 : 1.0;
    if (at >= row.size()) throw FormatError(whole + " ends with a sign");
    const char axis = static_cast<char>(std::tolower(row[at]));
    if (axis >= 'x' && axis <= 'z') {
      operation.rotation(index, axis - 'x') += static_cast<int>(sign);
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < row.size() && (std::isdigit(static_cast<unsigned char>(row[end])) || row[end] == '.')) ++end;
    double value = parse_double(row.substr(at, end - at), whole);
    if (end < row.size() && row[end] == '/') {
      const std::size_t begin = ++end;
      while (end < row.size() && std::isdigit(static_cast<unsigned char>(row[end]))) ++end;
      const double divisor = parse_double(row.substr(begin, end - begin), whole);
      if (divisor == 0.0) throw FormatError(whole + " divides by zero");
      value /= divisor;
    }
    operation.translation[index] += sign * value;
    at = end;
  }
}

/// Names before the letter e for a double glide plane (de Wolff et al. 1992, doi:10.1107/S0108767392003428).
const std::map<std::string, std::string> k_renamed{
    {"Abm2", "Aem2"}, {"Aba2", "Aea2"}, {"Cmca", "Cmce"}, {"Cmma", "Cmme"}, {"Ccca", "Ccce"}};

struct NamedSetting {
  std::string name, choice;  ///< choice: that of spglib in small letters, "1", "2", "h", "r", "b1", …; empty where there is none
};

/// "F d -3 m :2", or "F d -3 m Z" as ICSD writes it; "R -3 m :R".
NamedSetting named_setting(std::string_view text) {
  NamedSetting setting{std::string(trim(text)), ""};
  if (const std::size_t colon = setting.name.find(':'); colon != std::string::npos) {
    setting.choice = lower(without_blanks(setting.name.substr(colon + 1)));
    setting.name.resize(colon);
  } else if (setting.name.size() > 2 && setting.name[setting.name.size() - 2] == ' ' &&
             std::string_view("SZHR").find(setting.name.back()) != std::string_view::npos) {
    const char last = setting.name.back();
    setting.choice = last == 'S' ? "1" : last == 'Z' ? "2" : last == 'H' ? "h" : "r";
    setting.name.pop_back();
  }
  setting.name = without_blanks(setting.name);
  if (const auto today = k_renamed.find(setting.name); today != k_renamed.end()) setting.name = today->second;
  return setting;
}

}  // namespace

SymmetryOperation parse_operation(std::string_view text, const std::string& where) {
  const std::string plain = without_blanks(text);
  SymmetryOperation operation{Eigen::Matrix3i::Zero(), Vec3::Zero()};
  std::size_t begin = 0;
  for (int index = 0; index < 3; ++index) {
    const std::size_t end = index < 2 ? plain.find(',', begin) : plain.size();
    if (end == std::string::npos) throw FormatError(where + ": symmetry operation '" + plain + "' needs three parts");
    parse_row(std::string_view(plain).substr(begin, end - begin), index, operation, where);
    begin = end + 1;
  }
  if (std::abs(operation.rotation.determinant()) != 1)
    throw FormatError(where + ": symmetry operation '" + plain + "' is neither a rotation nor a reflection");
  return operation;
}

std::vector<int> hall_numbers_by_name(std::string_view name) {
  const NamedSetting wanted = named_setting(name);
  std::vector<int> found;
  if (wanted.name.empty()) return found;
  for (int hall = 1; hall <= 530; ++hall) {
    const SpglibSpacegroupType type = spg_get_spacegroup_type(hall);
    if (!wanted.choice.empty() && wanted.choice != lower(type.choice)) continue;
    const std::array<std::string_view, 3> names{type.international_short, type.international_full, type.international};
    if (std::ranges::any_of(names, [&](std::string_view known) { return without_blanks(known.substr(0, known.find('='))) == wanted.name; }))
      found.push_back(hall);
  }
  return found;
}

int hall_number_by_symbol(std::string_view symbol) {
  const std::string wanted = hall_symbol_of(symbol);
  int alike = 0, n_alike = 0;
  for (int hall = 1; hall <= 530; ++hall) {
    const std::string known = hall_symbol_of(spg_get_spacegroup_type(hall).hall_symbol);
    if (known == wanted) return hall;
    if (without(' ', known) != without(' ', wanted)) continue;
    alike = hall;
    ++n_alike;
  }
  return n_alike == 1 ? alike : 0;
}

std::vector<int> hall_numbers_of(int group) {
  std::vector<int> found;
  for (int hall = 1; hall <= 530; ++hall)
    if (spg_get_spacegroup_type(hall).number == group) found.push_back(hall);
  return found;
}

bool fits_cell(std::span<const SymmetryOperation> operations, const Mat3& cell) {
  const Mat3 metric = cell * cell.transpose();
  return std::ranges::all_of(operations, [&](const SymmetryOperation& operation) {
    const Mat3 rotation = operation.rotation.cast<double>();
    return (rotation.transpose() * metric * rotation - metric).cwiseAbs().maxCoeff() <= k_metric_tolerance * metric.cwiseAbs().maxCoeff();
  });
}

}  // namespace tamiz
