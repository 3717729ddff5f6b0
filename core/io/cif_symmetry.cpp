#include "tamiz/core/io/cif_symmetry.hpp"

#include <spglib.h>

#include <Eigen/LU>
#include <cctype>
#include <cstdlib>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/text.hpp"

namespace tamiz {
namespace {

std::string without_blanks(std::string_view text) {
  std::string result;
  for (const char c : text)
    if (!std::isspace(static_cast<unsigned char>(c)) && c != '_' && c != '\'' && c != '"') result += c;
  return result;
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

int hall_number_by_name(std::string_view name) {
  const std::string wanted = without_blanks(name);
  if (wanted.empty()) return 0;
  for (int hall = 1; hall <= 530; ++hall) {
    const SpglibSpacegroupType type = spg_get_spacegroup_type(hall);
    for (const char* known : {type.hall_symbol, type.international_short, type.international_full, type.international})
      if (without_blanks(std::string_view(known).substr(0, std::string_view(known).find('='))) == wanted) return hall;
  }
  return 0;
}

}  // namespace tamiz
