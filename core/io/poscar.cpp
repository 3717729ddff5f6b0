#include "tamiz/core/io/poscar.hpp"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/io/lines.hpp"

namespace tamiz {
namespace {

const std::string k_selective = "selective";  // 1 along the directions in which an atom may move

Vec3 parse_vector(Lines& lines, std::vector<std::string_view>* rest = nullptr) {
  auto words = split_whitespace(lines.next());
  if (words.size() < 3) lines.fail("expected three numbers");
  Vec3 vector;
  for (int k = 0; k < 3; ++k) vector[k] = parse_double(words[static_cast<std::size_t>(k)], lines.where());
  if (rest != nullptr) rest->assign(words.begin() + 3, words.end());
  return vector;
}

std::vector<Element> parse_species(Lines& lines) {
  const auto names = split_whitespace(lines.next());
  if (names.empty()) lines.fail("expected element symbols");
  if (std::isdigit(static_cast<unsigned char>(names[0][0])))
    lines.fail("a VASP 4 file without element symbols: add a line with them above the counts");
  std::vector<Element> elements;
  for (std::string_view symbol : names) {
    try {
      elements.push_back(Element::from_symbol(symbol.substr(0, symbol.find_first_of("_/"))));  // "Mg_pv", "N/hash"
    } catch (const SpeciesError& error) {
      throw SpeciesError(lines.where() + ": " + error.what());
    }
  }
  const auto counts = split_whitespace(lines.next());
  if (counts.size() != elements.size()) lines.fail("expected one count per element symbol");
  std::vector<Element> species;
  for (std::size_t k = 0; k < counts.size(); ++k) {
    const long long count = parse_integer(counts[k], lines.where());
    if (count < 1) lines.fail("expected a positive number of atoms");
    // An atom takes at least six bytes; a number beyond that must not reserve memory.
    if (static_cast<unsigned long long>(count) > lines.remaining() / 6 + 1 - std::min(species.size(), lines.remaining() / 6))
      lines.fail("the file is too short for " + std::to_string(count) + " atoms of " + std::string(elements[k].symbol()));
    species.insert(species.end(), static_cast<std::size_t>(count), elements[k]);
  }
  return species;
}

Structure structure_of(const Lattice& lattice, const std::vector<Element>& species, const Coordinates& positions,
                       const Lines& lines) {
  try {
    return Structure(lattice, k_periodic, species, Cartesian{positions});
  } catch (const Error& error) {
    lines.fail(error.what());
  }
}

/// A logical as Fortran reads it: T, f, .TRUE., .false.
bool is_true(std::string_view flag, const Lines& lines) {
  const char letter = flag.size() > 1 && flag[0] == '.' ? flag[1] : flag[0];
  if (letter == 'T' || letter == 't') return true;
  if (letter != 'F' && letter != 'f') lines.fail("expected T or F, got " + std::string(flag));
  return false;
}

}  // namespace

Frame parse_poscar(std::string_view text, const std::string& name) {
  Lines lines(text, name);
  const std::string title(trim(lines.next()));
  const auto factors = split_whitespace(lines.next());
  if (factors.size() != 1) lines.fail("expected one scaling factor");
  double scale = parse_double(factors[0], lines.where() + ": scaling factor");
  if (scale == 0.0) lines.fail("the scaling factor is zero");
  Mat3 rows;
  for (int k = 0; k < 3; ++k) rows.row(k) = parse_vector(lines);
  const double volume = Lattice(rows).volume();
  if (scale < 0.0) scale = std::cbrt(-scale / volume);
  if (!(volume > 0.0) || !(rows * scale).allFinite()) lines.fail("the cell has no volume");
  const Lattice lattice(rows * scale);
  std::vector<Element> species = parse_species(lines);

  std::string_view mode = trim(lines.next());
  const bool selective = !mode.empty() && (mode[0] == 'S' || mode[0] == 's');
  if (selective) mode = trim(lines.next());
  if (mode.empty()) lines.fail("expected Direct or Cartesian");
  const bool cartesian = mode[0] == 'C' || mode[0] == 'c' || mode[0] == 'K' || mode[0] == 'k';
  Coordinates values(static_cast<Eigen::Index>(species.size()), 3);
  Eigen::MatrixXd free_to_move = Eigen::MatrixXd::Ones(values.rows(), 3);
  for (Eigen::Index a = 0; a < values.rows(); ++a) {
    std::vector<std::string_view> flags;
    values.row(a) = parse_vector(lines, &flags);
    if (!selective) continue;
    if (flags.size() < 3) lines.fail("selective dynamics needs three flags");
    for (int k = 0; k < 3; ++k) free_to_move(a, k) = is_true(flags[static_cast<std::size_t>(k)], lines) ? 1.0 : 0.0;
  }
  Frame frame{structure_of(lattice, species, cartesian ? Coordinates(values * scale) : Coordinates(values * lattice.rows()), lines), {}, {}, {}};
  if (!title.empty()) frame.info["name"] = title;
  if (selective) frame.arrays[k_selective] = free_to_move;
  return frame;
}

std::string format_poscar(const Frame& frame) {
  const Structure& structure = frame.structure;
  if (!structure.is_periodic()) throw CapabilityError("POSCAR holds structures that are periodic in all directions");
  std::vector<Element> order;
  for (const Element element : structure.species())
    if (std::find(order.begin(), order.end(), element) == order.end()) order.push_back(element);
  const auto flags = frame.arrays.find(k_selective);
  const bool selective = flags != frame.arrays.end() && flags->second.cols() == 3;
  // VASP takes right-handed cells only; with all vectors turned round the lattice is the same.
  const double sign = structure.lattice().signed_volume() < 0.0 ? -1.0 : 1.0;
  std::string symbols, counts, atoms;
  for (const Element element : order) {
    symbols += " " + std::string(element.symbol());
    counts += " " + std::to_string(structure.composition().count(element));
    for (std::size_t a = 0; a < structure.size(); ++a) {
      if (structure.species()[a] != element) continue;
      const auto row = static_cast<Eigen::Index>(a);
      for (int k = 0; k < 3; ++k) atoms += " " + format_double(structure.positions()(row, k));
      if (selective)
        for (int k = 0; k < 3; ++k) atoms += flags->second(row, k) < 1.0 ? " F" : " T";
      atoms += "\n";
    }
  }
  std::string text = structure.composition().formula() + "\n1.0\n";
  for (int i = 0; i < 3; ++i)
    for (int k = 0; k < 3; ++k) text += " " + format_double(sign * structure.lattice().rows()(i, k)) + (k == 2 ? "\n" : "");
  return text + symbols + "\n" + counts + "\n" + (selective ? "Selective dynamics\n" : "") + "Cartesian\n" + atoms;
}

}  // namespace tamiz
