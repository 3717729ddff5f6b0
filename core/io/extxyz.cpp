#include "tamiz/core/io/extxyz.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/log.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/io/extxyz_names.hpp"
#include "tamiz/core/io/lines.hpp"

namespace tamiz {
namespace {

using extxyz::is_one_of;
using extxyz::Names;

/// Between a stress and the virial of the same frame: files round them.
constexpr double k_same_stress = 1e-3;  // relative
constexpr double k_no_stress = 1e-5;    // [eV/Å³]

struct Entry {
  std::string key, value;
};

/// Reads a value that starts at `at`: in quotes, in brackets or up to the next blank.
std::string take_value(std::string_view line, std::size_t& at, const Lines& lines) {
  std::string value;
  const char open = at < line.size() ? line[at] : ' ';
  if (open == '"' || open == '\'') {
    for (++at; at < line.size() && line[at] != open; ++at) {
      if (line[at] == '\\' && at + 1 < line.size()) ++at;
      value += line[at];
    }
    if (at >= line.size()) lines.fail("a quote is not closed");
    ++at;
    return value;
  }
  if (open == '[' || open == '{') {
    int depth = 0;
    do {
      if (at >= line.size()) lines.fail("a bracket is not closed");
      depth += line[at] == '[' || line[at] == '{';
      depth -= line[at] == ']' || line[at] == '}';
      value += line[at++];
    } while (depth > 0);
    return value;
  }
  while (at < line.size() && !std::isspace(static_cast<unsigned char>(line[at]))) value += line[at++];
  return value;
}

std::vector<Entry> parse_entries(std::string_view line, const Lines& lines) {
  std::vector<Entry> entries;
  std::size_t at = 0;
  while (at < line.size()) {
    if (std::isspace(static_cast<unsigned char>(line[at]))) {
      ++at;
      continue;
    }
    Entry entry;
    if (line[at] == '"' || line[at] == '\'') entry.key = take_value(line, at, lines);
    else
      while (at < line.size() && line[at] != '=' && !std::isspace(static_cast<unsigned char>(line[at]))) entry.key += line[at++];
    const std::size_t equals = line.find_first_not_of(" \t", at);
    if (equals != line.npos && line[equals] == '=') {
      at = std::min(line.find_first_not_of(" \t", equals + 1), line.size());
      entry.value = take_value(line, at, lines);
    } else {
      entry.value = "T";  // a bare word is a flag
    }
    if (entry.key.empty()) lines.fail("a key is empty");
    entries.push_back(std::move(entry));
  }
  return entries;
}

/// Without Properties and a Lattice the line may be a remark, as in plain XYZ: without an equals sign, or where it makes no sense.
std::vector<Entry> parse_comment(std::string_view line, const Lines& lines) {
  if (line.find("Properties") != line.npos || line.find("Lattice") != line.npos) return parse_entries(line, lines);
  const std::vector<Entry> remark{{"comment", std::string(line)}};
  if (line.find('=') == line.npos) return split_whitespace(line).empty() ? std::vector<Entry>{} : remark;
  try {
    return parse_entries(line, lines);
  } catch (const FormatError&) {
    return remark;
  }
}

/// Numbers separated by blanks, commas or brackets.
std::vector<double> parse_numbers(std::string value, const std::string& what) {
  for (char& c : value)
    if (c == ',' || c == '[' || c == ']' || c == '{' || c == '}') c = ' ';
  std::vector<double> numbers;
  for (const std::string_view word : split_whitespace(value)) numbers.push_back(parse_double(word, what));
  return numbers;
}

/// Nine numbers are rows; ASE writes `Lattice` as rows too, which is Fortran order of the transposed.
Mat3 matrix_of_rows(const std::vector<double>& v) {
  Mat3 matrix;
  matrix << v[0], v[1], v[2], v[3], v[4], v[5], v[6], v[7], v[8];
  return matrix;
}

Mat3 parse_cell(const std::string& value, const std::string& what) {
  const std::vector<double> v = parse_numbers(value, what);
  if (v.size() != 9) throw FormatError(what + ": expected nine numbers, three lattice vectors, got " + std::to_string(v.size()));
  return matrix_of_rows(v);
}

Mat3 parse_stress(const std::string& value, const std::string& what) {
  const std::vector<double> v = parse_numbers(value, what);
  if (v.size() == 9) return matrix_of_rows(v);
  if (v.size() != 6) throw FormatError(what + ": expected nine numbers (or six in Voigt order), got " + std::to_string(v.size()));
  Mat3 matrix;
  matrix << v[0], v[5], v[4], v[5], v[1], v[3], v[4], v[3], v[2];  // xx yy zz yz xz xy
  return matrix;
}

struct Column {
  std::string name;
  char type = 'R';
  int width = 1;
};

std::vector<Column> parse_properties(const std::string& text, const Lines& lines) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ':') parts.emplace_back();
    else parts.back() += c;
  }
  if (parts.size() % 3 != 0) lines.fail("Properties needs triples name:type:width, got '" + text + "'");
  std::vector<Column> columns;
  for (std::size_t k = 0; k < parts.size(); k += 3) {
    const long long width = parse_integer(parts[k + 2], lines.where() + ": width of " + parts[k]);
    if (width < 1 || width > 1000 || parts[k + 1].size() != 1) lines.fail("Properties has a wrong type or width for " + parts[k]);
    for (const Column& other : columns)
      if (other.name == parts[k]) lines.fail("Properties names " + parts[k] + " twice");
    columns.push_back({parts[k], parts[k + 1][0], static_cast<int>(width)});
  }
  return columns;
}

bool parse_flag(std::string_view word, const Lines& lines) {
  if (word == "T" || word == "True" || word == "true" || word == "1") return true;
  if (word == "F" || word == "False" || word == "false" || word == "0") return false;
  lines.fail("expected T or F, got '" + std::string(word) + "'");
}

struct Header {
  std::optional<Mat3> cell;
  std::optional<Periodicity> periodicity;
  std::vector<Column> columns{{"species", 'S', 1}, {"pos", 'R', 3}};
  Labels labels;
  std::optional<Mat3> virial;
  std::map<std::string, std::string> info;
};

/// Two names of one label must agree: which of them counts is not to be guessed.
template <typename Value>
void set_label(std::optional<Value>& label, const Value& value, const std::string& key, const char* option, const Lines& lines) {
  if (label && *label != value)
    lines.fail("a second " + std::string(option) + " with another value, " + key + ": choose one (--" + option +
               "-key in tamiz train and evaluate), or remove the others");
  label = value;
}

Header parse_header(std::string_view line, const Lines& lines, const Names& names) {
  Header header;
  for (auto& [key, value] : parse_comment(line, lines)) {
    const std::string what = lines.where() + ": " + key;
    if (key == "Lattice") header.cell = parse_cell(value, what);
    else if (key == "Properties") header.columns = parse_properties(value, lines);
    else if (key == "pbc") {
      for (char& c : value)
        if (c == ',' || c == '[' || c == ']') c = ' ';
      const auto words = split_whitespace(value);
      if (words.size() != 3) lines.fail("pbc needs three flags");
      header.periodicity = Periodicity{parse_flag(words[0], lines), parse_flag(words[1], lines), parse_flag(words[2], lines)};
    } else if (is_one_of(names.energy, key)) set_label(header.labels.energy, parse_double(value, what), key, "energy", lines);
    else if (is_one_of(names.free_energy, key)) set_label(header.labels.free_energy, parse_double(value, what), key, "energy", lines);
    else if (is_one_of(names.stress, key)) set_label(header.labels.stress, parse_stress(value, what), key, "stress", lines);
    else if (is_one_of(names.virial, key)) set_label(header.virial, parse_stress(value, what), key, "stress", lines);
    else header.info[key] = value;
  }
  return header;
}

Element parse_element(std::string_view word, const Lines& lines) {
  try {
    if (std::isdigit(static_cast<unsigned char>(word[0])))
      return Element(static_cast<int>(std::min(parse_integer(word, lines.where() + ": atomic number"), 1000LL)));
    return Element::from_symbol(word);
  } catch (const SpeciesError& error) {
    throw SpeciesError(lines.where() + ": " + error.what());
  }
}

/// Takes the forces out of the columns, where there are any.
std::optional<Coordinates> take_forces(std::map<std::string, Eigen::MatrixXd>& arrays, const Names& names, const Lines& lines) {
  std::optional<Coordinates> forces;
  for (const std::string& key : names.forces) {
    const auto found = arrays.find(key);
    if (found == arrays.end() || found->second.cols() != 3) continue;
    set_label(forces, Coordinates(found->second), key, "forces", lines);
    arrays.erase(found);
  }
  return forces;
}

/// From the virial where there is no other; a sign or a unit that does not fit shows where there are both.
std::optional<Mat3> stress_of(const Header& header, double volume, const Lines& lines) {
  const std::optional<Mat3>& stress = header.labels.stress;
  if (!header.virial || !(volume > 0.0)) return stress;
  const Mat3 other = -*header.virial / volume;
  if (stress && (*stress - other).cwiseAbs().maxCoeff() > k_no_stress + k_same_stress * stress->cwiseAbs().maxCoeff())
    lines.fail("the stress is not minus the virial over the volume: choose one (--stress-key in tamiz train and evaluate), or remove the other");
  return stress ? stress : other;
}

/// Name of the column that says the elements: symbols, or atomic numbers where there are none.
std::string elements_of(const std::vector<Column>& columns) {
  return std::ranges::any_of(columns, [](const Column& column) { return column.name == "species"; }) ? "species" : "Z";
}

/// Words of a line of an atom. Fails where the columns make no structure, or the rest of the file cannot hold the atoms.
int checked_width(const std::vector<Column>& columns, const std::string& elements, long long n_atoms, const Lines& lines) {
  int n_words = 0;
  bool has_species = false, has_positions = false;
  for (const Column& column : columns) {
    n_words += column.width;
    has_species = has_species || (column.name == elements && column.width == 1);
    has_positions = has_positions || (column.name == "pos" && column.width == 3 && column.type != 'S');
  }
  if (!has_species || !has_positions) lines.fail("Properties lacks species:S:1 or pos:R:3");
  // A number and its blank take two bytes: what the rest of the file cannot hold must not reserve memory.
  if (static_cast<double>(n_atoms) * n_words > 0.5 * static_cast<double>(lines.remaining() + 1))
    lines.fail("the file is too short for " + std::to_string(n_atoms) + " atoms of " + std::to_string(n_words) + " columns");
  return n_words;
}

/// What the lines of the atoms say: elements, and every column of numbers by its name.
struct Atoms {
  std::vector<Element> species;
  std::map<std::string, Eigen::MatrixXd> arrays;
};

Atoms parse_lines(Lines& lines, long long n_atoms, const std::vector<Column>& columns) {
  const std::string elements = elements_of(columns);
  const int n_words = checked_width(columns, elements, n_atoms, lines);
  std::vector<Element> species;
  std::map<std::string, Eigen::MatrixXd> arrays;
  for (const Column& column : columns)
    if (column.type != 'S' && column.name != "Z" && column.name != "species") arrays[column.name].resize(n_atoms, column.width);
    else if (column.type == 'S' && column.name != elements) log::warning_once("texts of atoms are not kept: the column " + column.name + " of extended XYZ");
  std::string_view line;
  for (long long a = 0; a < n_atoms; ++a) {
    if (!lines.next(line)) lines.fail("the file ends after " + std::to_string(a) + " of " + std::to_string(n_atoms) + " atoms");
    const auto words = split_whitespace(line);
    if (static_cast<int>(words.size()) < n_words)
      lines.fail("expected " + std::to_string(n_words) + " columns, got " + std::to_string(words.size()));
    std::size_t word = 0;
    for (const Column& column : columns)
      for (int k = 0; k < column.width; ++k, ++word) {
        if (column.name == elements) species.push_back(parse_element(words[word], lines));
        else if (column.name == "Z") continue;  // beside the symbols
        else if (column.type == 'L') arrays[column.name](a, k) = parse_flag(words[word], lines) ? 1.0 : 0.0;
        else if (column.type != 'S') arrays[column.name](a, k) = parse_double(words[word], lines.where() + ": " + column.name);
      }
  }
  return {std::move(species), std::move(arrays)};
}

Frame parse_atoms(Lines& lines, long long n_atoms, Header header, const Names& names) {
  auto [species, arrays] = parse_lines(lines, n_atoms, header.columns);
  const Periodicity periodicity = header.periodicity.value_or(header.cell ? k_periodic : k_molecule);
  const Lattice lattice = header.cell ? Lattice(*header.cell) : Lattice();
  const Coordinates positions = arrays.at("pos");
  arrays.erase("pos");
  header.labels.forces = take_forces(arrays, names, lines);
  header.labels.stress = stress_of(header, lattice.volume(), lines);
  try {
    return {Structure(lattice, periodicity, std::move(species), Cartesian{positions}), std::move(header.labels),
            std::move(header.info), std::move(arrays)};
  } catch (const Error& error) {
    lines.fail(error.what());
  }
}

}  // namespace

std::vector<Frame> parse_extxyz(std::string_view text, const std::string& name, const LabelKeys& keys) {
  const Names names(keys);
  std::vector<Frame> frames;
  Lines lines(text, name);
  std::string_view line;
  while (lines.next(line)) {
    if (trim(line).empty()) continue;
    const long long n_atoms = parse_integer(line, lines.where() + ": number of atoms");
    if (n_atoms < 1) lines.fail("expected a positive number of atoms");
    // An atom takes at least eight bytes; a number beyond that must not reserve memory.
    if (static_cast<unsigned long long>(n_atoms) > lines.remaining() / 8) lines.fail("the file is too short for " + std::to_string(n_atoms) + " atoms");
    if (!lines.next(line)) lines.fail("the comment line is missing");
    frames.push_back(parse_atoms(lines, n_atoms, parse_header(line, lines, names), names));
  }
  return frames;
}

}  // namespace tamiz
