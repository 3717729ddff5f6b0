#include "tamiz/core/io/cif.hpp"

#include <Eigen/Geometry>
#include <Eigen/LU>
#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdint>
#include <functional>
#include <optional>
#include <unordered_map>
#include <utility>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/io/cif_document.hpp"
#include "tamiz/core/io/cif_symmetry.hpp"
#include "tamiz/core/structure/identity.hpp"
#include "tamiz/core/structure/symmetry.hpp"

namespace tamiz {
namespace {

constexpr double k_same_site = 0.2;  // [Å] closer than atoms come, and further than "0.33" is from 1/3
constexpr double k_overlap = 0.5;    // [Å] as close as no atoms come: the setting is another

/// "5.43(2)" → 5.43. Unknown values ("?", ".") throw.
double number(const CifValue& value, const std::string& key, const std::string& file) {
  const std::string_view text = std::string_view(value.text).substr(0, value.text.find('('));
  return parse_double(text, file + ":" + std::to_string(value.line) + ": " + key);
}

const CifValue* first_of(const CifBlock& block, std::initializer_list<const char*> keys) {
  for (const char* key : keys)
    if (const CifValue* value = block.value(key); value != nullptr && value->text != "?" && value->text != ".") return value;
  return nullptr;
}

[[noreturn]] void fail(const std::string& file, int line, const std::string& message) {
  throw FormatError(file + ":" + std::to_string(line) + ": " + message);
}

double required(const CifBlock& block, const char* key, const std::string& file) {
  const CifValue* value = block.value(key);
  if (value == nullptr) fail(file, block.line, std::string("data block ") + block.name + " lacks " + key);
  return number(*value, key, file);
}

using Group = std::vector<SymmetryOperation>;

std::vector<Group> groups_of(const std::vector<int>& hall_numbers) {
  std::vector<Group> groups;
  for (const int hall : hall_numbers) groups.push_back(operations_of_hall(hall));
  return groups;
}

std::optional<Group> listed_operations(const CifBlock& block, const std::string& file) {
  for (const char* key : {"_space_group_symop_operation_xyz", "_symmetry_equiv_pos_as_xyz", "_space_group_symop.operation_xyz"}) {
    const CifLoop* loop = block.loop_with(key);
    if (loop == nullptr) continue;
    Group result;
    for (const CifValue& value : loop->column(key)) result.push_back(parse_operation(value.text, file + ":" + std::to_string(value.line)));
    return result;
  }
  return std::nullopt;
}

/// What a block may mean: a name has several settings, and the wrong one would be another crystal. A number alone means the first one, where
/// that is possible.
struct Groups {
  std::vector<Group> all;  ///< the likeliest first
  bool by_name;
};

/// The groups that the block may mean and its cell allows.
Groups possible_groups(const CifBlock& block, const Mat3& cell, const std::string& file) {
  const auto fitting = [&](std::vector<Group> groups, bool by_name = true) {
    std::erase_if(groups, [&](const Group& group) { return !fits_cell(group, cell); });
    if (groups.empty()) fail(file, block.line, "data block " + block.name + ": the cell does not have the symmetry that the file gives: correct the one or the other");
    return Groups{std::move(groups), by_name};
  };
  if (const auto listed = listed_operations(block, file)) return fitting({*listed});
  const CifValue* symbol = first_of(block, {"_space_group_name_Hall", "_symmetry_space_group_name_Hall"});
  if (symbol != nullptr)
    if (const int hall = hall_number_by_symbol(symbol->text)) return fitting({operations_of_hall(hall)});
  const CifValue* name = first_of(block, {"_space_group_name_H-M_alt", "_symmetry_space_group_name_H-M"});
  if (name != nullptr)
    if (const std::vector<int> named = hall_numbers_by_name(name->text); !named.empty()) return fitting(groups_of(named));
  const CifValue* unknown = name != nullptr ? name : symbol;
  const CifValue* value = first_of(block, {"_space_group_IT_number", "_symmetry_Int_Tables_number"});
  if (value == nullptr && unknown == nullptr) return {{operations_of_hall(1)}, true};
  std::vector<Group> numbered;
  if (value != nullptr) {
    const double group = number(*value, "space group number", file);
    if (!(group >= 1.0 && group <= 230.0)) fail(file, value->line, "expected a space group number from 1 to 230, got " + value->text);
    numbered = groups_of(hall_numbers_of(static_cast<int>(group)));
    if (unknown == nullptr) return fitting(std::move(numbered), false);
  }
  if (numbered.size() != 1)
    fail(file, unknown->line, "the space group '" + unknown->text + "' is not known, and the file gives no symmetry operations: add "
                              "them, or a Hall symbol");
  return fitting(std::move(numbered));
}

/// "Mg2+", "Mg1", "MG" → Mg.
Element element_of(const CifValue& value, const std::string& file) {
  std::string symbol;
  for (const char c : value.text) {
    if (!std::isalpha(static_cast<unsigned char>(c)) || symbol.size() == 2) break;
    symbol += static_cast<char>(symbol.empty() ? std::toupper(c) : std::tolower(c));
  }
  if (symbol == "D") symbol = "H";
  try {
    return Element::from_symbol(symbol);
  } catch (const SpeciesError&) {
    if (symbol.size() == 2) {
      try {
        return Element::from_symbol(symbol.substr(0, 1));  // "OW1": an oxygen of water
      } catch (const SpeciesError&) {
      }
    }
    throw SpeciesError(file + ":" + std::to_string(value.line) + ": no element in '" + value.text + "'");
  }
}

struct Atoms {
  std::vector<Element> species;
  std::vector<Vec3> fractional;
};

/// From b to the nearest image of a, in fractions of the cell.
Vec3 nearest_difference(const Vec3& a, const Vec3& b) {
  const Vec3 delta = a - b;
  return delta.array() - delta.array().round();
}

bool is_same_site(const Vec3& a, const Vec3& b, const Mat3& cell) {
  return (nearest_difference(a, b).transpose() * cell).norm() < k_same_site;
}

/// Finds the atom at a place without asking all of them: bins that are no smaller than what one place is.
class SiteGrid {
 public:
  explicit SiteGrid(const Mat3& cell) : cell_(cell) {
    for (int k = 0; k < 3; ++k) {
      const Vec3 normal = cell.row((k + 1) % 3).cross(cell.row((k + 2) % 3));
      n_[static_cast<std::size_t>(k)] = std::max<std::int64_t>(1, static_cast<std::int64_t>(std::abs(cell.determinant()) / normal.norm() / k_same_site));
    }
  }

  void add(const Vec3& site, std::size_t atom) { bins_[key(site, {0, 0, 0})].push_back({site, atom}); }

  std::optional<std::size_t> find(const Vec3& site) const {
    for (int x = -1; x <= 1; ++x)
      for (int y = -1; y <= 1; ++y)
        for (int z = -1; z <= 1; ++z)
          if (const auto bin = bins_.find(key(site, {x, y, z})); bin != bins_.end())
            for (const auto& [other, atom] : bin->second)
              if (is_same_site(site, other, cell_)) return atom;
    return std::nullopt;
  }

 private:
  std::int64_t key(const Vec3& site, const std::array<int, 3>& shift) const {
    std::int64_t result = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      const double inside = site[static_cast<Eigen::Index>(k)] - std::floor(site[static_cast<Eigen::Index>(k)]);
      const std::int64_t bin = (static_cast<std::int64_t>(inside * static_cast<double>(n_[k])) + shift[k] + n_[k]) % n_[k];
      result = result * n_[k] + bin;
    }
    return result;
  }

  Mat3 cell_;
  std::array<std::int64_t, 3> n_{};
  std::unordered_map<std::int64_t, std::vector<std::pair<Vec3, std::size_t>>> bins_;
};

/// A site near a special position is one that the file has rounded: the mean of its images there.
Vec3 special_position(const Vec3& site, const std::vector<SymmetryOperation>& group, const Mat3& cell) {
  Vec3 sum = Vec3::Zero();
  int n = 0;
  for (const SymmetryOperation& operation : group) {
    const Vec3 image = operation.rotation.cast<double>() * site + operation.translation;
    if (!is_same_site(image, site, cell)) continue;
    sum += nearest_difference(image, site);
    ++n;
  }
  return n == 0 ? site : Vec3(site + sum / n);
}

std::vector<Vec3> orbit_of(const Vec3& given, const std::vector<SymmetryOperation>& group, const Mat3& cell) {
  const Vec3 site = special_position(given, group, cell);
  std::vector<Vec3> orbit;
  for (const SymmetryOperation& operation : group) {
    Vec3 image = operation.rotation.cast<double>() * site + operation.translation;
    for (int k = 0; k < 3; ++k) image[k] -= std::floor(image[k] + 1e-9);
    if (std::ranges::none_of(orbit, [&](const Vec3& other) { return is_same_site(image, other, cell); })) orbit.push_back(image);
  }
  return orbit;
}

/// A site that another row has already is the same atom.
void add_orbit(Atoms& atoms, SiteGrid& grid, const CifValue& symbol, const std::vector<Vec3>& orbit, const std::string& file) {
  const Element element = element_of(symbol, file);
  if (const auto there = grid.find(orbit.front())) {
    if (atoms.species[*there] == element) return;
    fail(file, symbol.line, "site " + symbol.text + " lies on an atom of " + std::string(atoms.species[*there].symbol()) + ", expected an ordered structure");
  }
  for (const Vec3& site : orbit) {
    grid.add(site, atoms.fractional.size());
    atoms.fractional.push_back(site);
    atoms.species.push_back(element);
  }
}

/// The rows of the loop of sites.
struct Site {
  CifValue symbol;
  Vec3 place;  ///< fractional
};

std::vector<Site> sites_of(const CifLoop& loop, const std::string& file) {
  const char* symbol_key = loop.has("_atom_site_type_symbol") ? "_atom_site_type_symbol" : "_atom_site_label";
  if (!loop.has(symbol_key)) fail(file, loop.line, "the atom sites have neither type symbols nor labels");
  for (const char* key : {"_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_fract_z"})
    if (!loop.has(key)) fail(file, loop.line, std::string("the atom sites lack ") + key);
  const auto x = loop.column("_atom_site_fract_x"), y = loop.column("_atom_site_fract_y"), z = loop.column("_atom_site_fract_z");
  const auto symbols = loop.column(symbol_key), occupancies = loop.column("_atom_site_occupancy");
  if (symbols.empty()) fail(file, loop.line, "the loop of atom sites is empty");
  std::vector<Site> sites;
  for (std::size_t s = 0; s < symbols.size(); ++s) {
    if (!occupancies.empty()) {
      const CifValue& occupancy = occupancies[s];
      if (occupancy.text != "." && occupancy.text != "?" && std::abs(number(occupancy, "occupancy", file) - 1.0) > 1e-3)
        fail(file, occupancy.line, "site " + symbols[s].text + " is partly occupied (" + occupancy.text + "), expected an ordered structure");
    }
    sites.push_back({symbols[s], {number(x[s], "_atom_site_fract_x", file), number(y[s], "_atom_site_fract_y", file), number(z[s], "_atom_site_fract_z", file)}});
  }
  return sites;
}

Atoms atoms_of(const std::vector<Site>& sites, const Group& group, const Mat3& cell, const std::string& file) {
  Atoms atoms;
  SiteGrid grid(cell);
  for (const Site& site : sites) add_orbit(atoms, grid, site.symbol, orbit_of(site.place, group, cell), file);
  return atoms;
}

Structure structure_of(const Lattice& lattice, const Atoms& atoms) {
  Coordinates fractional(static_cast<Eigen::Index>(atoms.fractional.size()), 3);
  for (std::size_t a = 0; a < atoms.fractional.size(); ++a) fractional.row(static_cast<Eigen::Index>(a)) = atoms.fractional[a];
  return Structure(lattice, k_periodic, atoms.species, Fractional{fractional});
}

/// What a file's sites are in one setting of its group.
struct Setting {
  Group group;
  Structure structure;
};

/// In which no two atoms lie on each other.
std::vector<Setting> settings_of(const std::vector<Site>& sites, const std::vector<Group>& groups, const Lattice& lattice, const std::string& file) {
  std::vector<Setting> settings;
  for (const Group& group : groups) {
    try {
      Structure structure = structure_of(lattice, atoms_of(sites, group, lattice.rows(), file));
      if (structure.size() == 1 || structure.shortest_distance() > k_overlap) settings.push_back({group, std::move(structure)});
    } catch (const FormatError&) {  // two elements at one place
    }
  }
  return settings;
}

/// Whether a composition is the formula that the block gives; not known where it gives none that can be read.
std::optional<bool> has_formula_of(const CifBlock& block, const Composition& composition) {
  const CifValue* formula = first_of(block, {"_chemical_formula_sum"});
  if (formula == nullptr) return std::nullopt;
  try {
    std::string text = formula->text;
    std::erase_if(text, [](unsigned char c) { return std::isspace(c); });
    return Composition::from_formula(text).reduced() == composition.reduced();
  } catch (const Error&) {
    return std::nullopt;
  }
}

/// Same turns and mirrors about other places.
bool differ_by_origin(const Group& a, const Group& b) {
  const auto has = [](const Group& group, const SymmetryOperation& operation) { return std::ranges::find(group, operation.rotation, &SymmetryOperation::rotation) != group.end(); };
  return std::ranges::all_of(a, [&](const SymmetryOperation& operation) { return has(b, operation); });
}

/// In the setting that the block must mean: of those that put no two atoms on each other the ones with the block's formula, and of these those with
/// the fewest atoms, since sites are special where the origin is right. A single group is taken at its word.
Structure expanded(const std::vector<Site>& sites, const Groups& groups, const Lattice& lattice, const CifBlock& block, const std::string& file) {
  if (groups.all.size() == 1) return structure_of(lattice, atoms_of(sites, groups.all.front(), lattice.rows(), file));
  const auto refuse = [&](const std::string& why) { fail(file, block.line, "data block " + block.name + ": its space group has several settings, and " + why + ": add the symmetry operations, or a Hall symbol"); };
  std::vector<Setting> settings = settings_of(sites, groups.all, lattice, file);
  if (settings.empty()) refuse("in each two atoms lie on each other");
  const auto fits = [&](const Setting& setting) { return has_formula_of(block, setting.structure.composition()).value_or(true); };
  if (std::ranges::any_of(settings, fits)) std::erase_if(settings, std::not_fn(fits));
  const auto n_atoms = [](const Setting& setting) { return setting.structure.size(); };
  const std::size_t fewest = n_atoms(*std::ranges::min_element(settings, {}, n_atoms));
  std::erase_if(settings, [&](const Setting& setting) { return n_atoms(setting) > fewest; });
  const StructureIdentity first(settings.front().structure);
  const bool is_ambiguous = groups.by_name && std::ranges::any_of(settings, [&](const Setting& setting) {
    return differ_by_origin(settings.front().group, setting.group) && !first.same_as(StructureIdentity(setting.structure));
  });
  if (is_ambiguous) refuse("with each origin the sites are another crystal");
  return settings.front().structure;
}

Frame frame_of(const CifBlock& block, const CifLoop& loop, const std::string& file) {
  try {
    const Lattice lattice = Lattice::from_parameters(required(block, "_cell_length_a", file), required(block, "_cell_length_b", file),
                                                     required(block, "_cell_length_c", file), required(block, "_cell_angle_alpha", file),
                                                     required(block, "_cell_angle_beta", file), required(block, "_cell_angle_gamma", file));
    Frame frame{expanded(sites_of(loop, file), possible_groups(block, lattice.rows(), file), lattice, block, file), {}, {}, {}};
    if (!block.name.empty()) frame.info["name"] = block.name;
    return frame;
  } catch (const NumericsError& error) {
    fail(file, block.line, error.what());
  }
}

std::string block_name(const Frame& frame) {
  const auto found = frame.info.find("name");
  std::string name = found == frame.info.end() ? frame.structure.composition().formula() : found->second;
  for (char& c : name)
    if (!std::isgraph(static_cast<unsigned char>(c))) c = '_';
  return name;
}

void append_frame(std::string& text, const Frame& frame) {
  const Structure& structure = frame.structure;
  if (!structure.is_periodic()) throw CapabilityError("CIF holds structures that are periodic in all directions; write extxyz");
  const auto p = structure.lattice().parameters();
  text += "data_" + block_name(frame) + "\n";
  constexpr const char* k_keys[] = {"_cell_length_a", "_cell_length_b", "_cell_length_c", "_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma"};
  for (std::size_t k = 0; k < 6; ++k) text += std::string(k_keys[k]) + " " + format_double(p[k]) + "\n";
  text += "_chemical_formula_sum '" + structure.composition().formula() + "'\n";
  text += "_space_group_name_H-M_alt 'P 1'\n_space_group_IT_number 1\nloop_\n_space_group_symop_operation_xyz\n'x, y, z'\n";
  text += "loop_\n_atom_site_label\n_atom_site_type_symbol\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n_atom_site_occupancy\n";
  Fractional fractional = structure.fractional();
  // Lengths and angles are those of a right-handed cell: a left-handed one has them with its vectors turned round.
  if (structure.lattice().signed_volume() < 0.0) fractional.values = -fractional.values;
  for (std::size_t a = 0; a < structure.size(); ++a) {
    const std::string symbol(structure.species()[a].symbol());
    text += symbol + std::to_string(a + 1) + " " + symbol;
    for (int k = 0; k < 3; ++k) text += " " + format_double(fractional.values(static_cast<Eigen::Index>(a), k));
    text += " 1\n";
  }
}

}  // namespace

std::vector<Frame> parse_cif(std::string_view text, const std::string& name) {
  std::vector<Frame> frames;
  for (const CifBlock& block : parse_cif_document(text, name))
    if (const CifLoop* sites = block.loop_with("_atom_site_fract_x")) frames.push_back(frame_of(block, *sites, name));
  if (frames.empty()) throw FormatError(name + ": no data block with atom sites");
  return frames;
}

std::string format_cif(std::span<const Frame> frames) {
  std::string text;
  for (const Frame& frame : frames) append_frame(text, frame);
  return text;
}

}  // namespace tamiz
