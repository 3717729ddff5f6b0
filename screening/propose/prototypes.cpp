#include "tamiz/screening/propose/prototypes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/io/toml.hpp"
#include "tamiz/core/structure/symmetry.hpp"
#include "tamiz/screening/propose/propose.hpp"

namespace tamiz {
namespace {

/// Points closer than this in every fractional coordinate are one.
constexpr double k_same_point = 1e-4;

Vec3 point_from(const TomlTable& site) {
  const std::string text = site.text("at", "");
  const std::vector<std::string_view> words = split_whitespace(text);
  if (words.size() != 3) site.fail("at", "expected three fractional coordinates as in \"1/3 2/3 0.25\", got '" + text + "'");
  Vec3 point;
  for (std::size_t k = 0; k < 3; ++k) {
    const std::size_t slash = words[k].find('/');
    const double above = parse_double(words[k].substr(0, slash), "at");
    const double below = slash == std::string_view::npos ? 1.0 : parse_double(words[k].substr(slash + 1), "at");
    point[static_cast<Eigen::Index>(k)] = above / below;
  }
  return point;
}

std::map<std::string, int> label_counts(const TomlTable& table) {
  const std::string formula = table.text("formula", "");
  std::map<std::string, int> counts;
  for (std::size_t k = 0; k < formula.size();) {
    if (std::isupper(static_cast<unsigned char>(formula[k])) == 0) {
      table.fail("formula", "expected capital labels with counts as in \"AB2X2\", got '" + formula + "'");
    }
    const std::string label(1, formula[k++]);
    const std::size_t begin = k;
    while (k < formula.size() && std::isdigit(static_cast<unsigned char>(formula[k])) != 0) ++k;
    counts[label] += k == begin ? 1 : static_cast<int>(parse_integer(formula.substr(begin, k - begin), "formula"));
  }
  return counts;
}

void check_labels(const Prototype& p, const TomlTable& table) {
  std::set<std::string> used;
  for (const PrototypeSite& site : p.sites) used.insert(site.label);
  for (const auto& [label, count] : p.counts) {
    if (!used.contains(label)) table.fail("sites", fmt::format("none has label {} of the formula", label));
  }
  if (used.size() != p.counts.size()) table.fail("sites", "one has a label that is not in the formula");
  for (const auto* list : {&p.anions, &p.vacancies}) {
    for (const std::string& label : *list) {
      if (!used.contains(label)) table.fail("formula", fmt::format("lacks the label {} that is named elsewhere", label));
    }
  }
}

Prototype prototype_from(const TomlTable& table) {
  for (const char* key : {"name", "formula", "space_group", "symbol", "hall_number", "pearson", "atoms", "lattice",
                          "sites", "source"}) {
    table.require(key);
  }
  table.allow_only({"name", "aliases", "formula", "space_group", "symbol", "hall_number", "strukturbericht", "pearson",
                    "atoms", "lattice", "sites", "anions", "ordering_parent", "vacancies", "example", "source"});
  Prototype p;
  p.name = table.text("name", "");
  p.aliases = table.texts("aliases", {});
  p.formula = table.text("formula", "");
  p.counts = label_counts(table);
  p.space_group = static_cast<int>(table.integer("space_group", 0));
  p.symbol = table.text("symbol", "");
  p.hall_number = static_cast<int>(table.integer("hall_number", 0));
  p.n_atoms = static_cast<int>(table.integer("atoms", 0));
  const std::vector<double> lattice = table.numbers("lattice", {});
  if (lattice.size() != 6) table.fail("lattice", "expected six numbers: 1, b/a, c/a and three angles");
  std::copy(lattice.begin(), lattice.end(), p.lattice.begin());
  p.sites = sites_from_toml(table, "label");
  p.anions = table.texts("anions", {});
  p.ordering_parent = table.boolean("ordering_parent", false);
  p.vacancies = table.texts("vacancies", {});
  p.source = table.text("source", "");
  check_labels(p, table);
  return p;
}

bool same_point(const Vec3& a, const Vec3& b) {
  const Vec3 d = a - b;
  return (d - d.array().round().matrix()).cwiseAbs().maxCoeff() < k_same_point;
}

}  // namespace

std::vector<PrototypeSite> sites_from_toml(const TomlTable& table, const std::string& label_key) {
  std::vector<PrototypeSite> sites;
  for (const TomlTable& site : table.tables("sites")) {
    site.require(label_key);
    site.require("at");
    site.allow_only({label_key, "at"});
    sites.push_back({site.text(label_key, ""), point_from(site)});
  }
  return sites;
}

std::vector<Prototype> read_prototypes(const std::filesystem::path& path) {
  const TomlTable root = TomlTable::read(path);
  root.require("prototype");
  std::vector<Prototype> result;
  for (const TomlTable& table : root.tables("prototype")) result.push_back(prototype_from(table));
  return result;
}

const std::vector<Prototype>& prototypes() {
  static const std::vector<Prototype> shipped =
      read_prototypes(data_directory() / "prototypes" / "prototypes.toml");
  return shipped;
}

const Prototype& find_prototype(std::string_view name) {
  std::vector<std::string> known;
  for (const Prototype& p : prototypes()) {
    known.push_back(p.name);
    known.insert(known.end(), p.aliases.begin(), p.aliases.end());
    const bool alias = std::find(p.aliases.begin(), p.aliases.end(), name) != p.aliases.end();
    if (p.name == name || alias) return p;
  }
  const std::string nearest = nearest_name(name, known);
  throw FormatError(fmt::format("unknown prototype '{}'{}", name,
                                nearest.empty() ? "; datasets/prototypes/prototypes.toml lists the known ones"
                                                : fmt::format(", did you mean '{}'", nearest)));
}

std::vector<Vec3> orbit_of(const Vec3& point, int hall_number) {
  std::vector<Vec3> orbit;
  for (const SymmetryOperation& operation : operations_of_hall(hall_number)) {
    Vec3 image = operation.rotation.cast<double>() * point + operation.translation;
    image -= image.array().floor().matrix();
    const bool known = std::any_of(orbit.begin(), orbit.end(), [&](const Vec3& x) { return same_point(x, image); });
    if (!known) orbit.push_back(image);
  }
  return orbit;
}

Structure decorate(const Prototype& prototype, const std::map<std::string, Element>& elements, double a) {
  std::vector<Vec3> points;
  std::vector<Element> species;
  for (const PrototypeSite& site : prototype.sites) {
    for (const Vec3& image : orbit_of(site.at, prototype.hall_number)) {
      if (std::any_of(points.begin(), points.end(), [&](const Vec3& x) { return same_point(x, image); })) {
        throw FormatError(fmt::format("two orbits of prototype '{}' share a point", prototype.name));
      }
      points.push_back(image);
      species.push_back(elements.at(site.label));
    }
  }
  Coordinates fractional(static_cast<Eigen::Index>(points.size()), 3);
  for (std::size_t k = 0; k < points.size(); ++k) fractional.row(static_cast<Eigen::Index>(k)) = points[k].transpose();
  const auto& l = prototype.lattice;
  return Structure(Lattice::from_parameters(a * l[0], a * l[1], a * l[2], l[3], l[4], l[5]), k_periodic, species,
                   Fractional{fractional});
}

std::vector<std::string> prototype_names() {
  std::vector<std::string> names;
  for (const Prototype& p : prototypes()) names.push_back(p.name);
  return names;
}

}  // namespace tamiz
