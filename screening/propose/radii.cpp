#include "tamiz/screening/propose/radii.hpp"

#include <fmt/format.h>

#include <cmath>
#include <algorithm>
#include <cstdlib>
#include <numbers>
#include <utility>
#include <vector>

#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/text.hpp"

namespace tamiz {
namespace {

struct Entry {
  int coordination;
  double radius;
};
using RadiusTable = std::map<std::pair<Element, int>, std::vector<Entry>>;

std::vector<std::string_view> split_commas(std::string_view line) {
  std::vector<std::string_view> fields;
  for (std::size_t begin = 0; begin <= line.size();) {
    const std::size_t end = std::min(line.find(',', begin), line.size());
    fields.push_back(trim(line.substr(begin, end - begin)));
    begin = end + 1;
  }
  return fields;
}

/// Columns: ion, charge, coordination with a geometry ("6_n", "4_sq"), crystal radius, ionic radius.
RadiusTable read_radii() {
  const std::filesystem::path path = data_directory() / "tables" / "shannon_radii.csv";
  const std::string text = read_file(path);
  RadiusTable table;
  std::size_t line_number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::vector<std::string_view> fields = split_commas(trim(std::string_view(text).substr(begin, end - begin)));
    begin = end + 1;
    if (++line_number == 1 || fields.size() < 5 || fields[0].empty()) continue;
    const std::string where = fmt::format("{}:{}", path.string(), line_number);
    if (fields[0] == "D" || fields[0] == "OH") continue;  // the table has these beside the elements
    const std::string_view geometry = fields[2];
    if (geometry.ends_with("_sq") || geometry.ends_with("_py")) continue;
    const std::string_view coordination = geometry.substr(0, geometry.find('_'));
    table[{Element::from_symbol(fields[0]), static_cast<int>(parse_integer(fields[1], where))}].push_back(
        {static_cast<int>(parse_integer(coordination, where)), parse_double(fields[4], where)});
  }
  return table;
}

/// Growth of an anion's radius with each neighbour beyond the only coordination that the table has. For N3−
/// (four neighbours) set so that Mg3N2 (six) and CaMg2N2 (seven) keep their measured Mg–N distances.
constexpr double k_growth_per_neighbour = 0.05;  // [Å]

/// Radius of an ion for its share of the volume: Shannon's; else for an anion the covalent radius and the
/// 0.75 Å by which N3− (1.46 Å) and O2− (1.40 Å) exceed theirs, for a cation 0.55 of it (Mg2+ 0.51, Ca2+ 0.57,
/// Zn2+ 0.61), for a neutral atom all of it.
double packing_radius(Element element, int charge) {
  if (const auto radius = shannon_radius({element, charge, 6})) return std::max(*radius, 0.0);
  const double covalent = element.covalent_radius();
  return charge < 0 ? covalent + 0.75 : charge > 0 ? 0.55 * covalent : covalent;
}

/// Covalent radii are those of four bonds at most; further neighbours weaken each bond by their number
/// (Pauling 1947, doi:10.1021/ja01195a024: 0.6 Å for each decade of bond order).
double covalent_contact(const Ion& a, const Ion& b) {
  const int neighbours = std::max({a.coordination, b.coordination, 4});
  return a.element.covalent_radius() + b.element.covalent_radius() + 0.6 * std::log10(neighbours / 4.0);
}

}  // namespace

std::optional<double> shannon_radius(const Ion& ion) {
  static const RadiusTable table = read_radii();
  const auto found = table.find({ion.element, ion.charge});
  if (found == table.end()) return std::nullopt;
  const Entry* best = nullptr;
  for (const Entry& entry : found->second) {
    const int distance = std::abs(entry.coordination - ion.coordination);
    if (!best || distance < std::abs(best->coordination - ion.coordination)) best = &entry;
  }
  if (found->second.size() == 1 && ion.charge < 0) {
    return best->radius + k_growth_per_neighbour * std::max(0, ion.coordination - best->coordination);
  }
  return best->radius;
}

double expected_contact(const Ion& a, const Ion& b) {
  const auto radius_a = shannon_radius(a);
  const auto radius_b = shannon_radius(b);
  if (a.charge * b.charge < 0 && radius_a && radius_b) return *radius_a + *radius_b;
  return covalent_contact(a, b);
}

double guess_volume(const Composition& composition, const OxidationStates& states) {
  // Measured volume over that of the spheres: MgSiN2 1.3, MgO 1.4, CaMg2N2 1.7, Mg3N2 1.7, Ca3N2 2.1.
  constexpr double k_void_factor = 1.6;
  double spheres = 0.0;
  for (const auto& [element, count] : composition.counts()) {
    const double radius = packing_radius(element, states.at(element));
    spheres += count * 4.0 / 3.0 * std::numbers::pi * radius * radius * radius;
  }
  return k_void_factor * spheres;
}

}  // namespace tamiz
