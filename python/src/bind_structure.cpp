#include <pybind11/eigen.h>
#include <pybind11/numpy.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <optional>

#include "tamiz/python/src/bind.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/io/data_set.hpp"
#include "tamiz/core/io/extxyz_names.hpp"
#include "tamiz/core/io/format.hpp"
#include "tamiz/core/io/frame_rows.hpp"
#include "tamiz/core/structure/fingerprint.hpp"
#include "tamiz/core/structure/identity.hpp"
#include "tamiz/core/structure/symmetry.hpp"

namespace tamiz::python {
namespace {

using Array = py::array_t<double, py::array::c_style | py::array::forcecast>;
using Release = py::call_guard<py::gil_scoped_release>;

constexpr const char* k_space_group_doc = R"(Space group as spglib finds it.

Attributes: number (International Tables), symbol (international, short), hall_number, equivalent (first
symmetry-equivalent atom of each atom).)";

constexpr const char* k_structure_doc = R"(Atoms in a cell; immutable, compared and hashed by content to the last bit.

Structure(species, positions, cell=None, pbc=None, fractional=False)

species are symbols or atomic numbers; positions (n_atoms, 3) [Å], never wrapped, or in units of the lattice vectors
where `fractional`; the rows of cell (3, 3) [Å] are the lattice vectors, right- or left-handed. Without pbc a structure
with a cell is periodic, one without is a molecule.

Attributes: symbols, numbers, masses (n_atoms,) [u] of the elements, positions (n_atoms, 3) [Å] (a read-only view), cell (3, 3) [Å], pbc, fractional
(n_atoms, 3), volume [Å³], formula, reduced_formula, system ("Ca-Mg-N"), content_hash (32 hex digits).

Methods: space_group, primitive_cell, conventional_cell, symmetrized take a tolerance [Å]; supercell takes the number
of copies along each lattice vector; strained takes a strain (3, 3); shortest_distance [Å] is over all images;
distance_to gives the cosine distance of two fingerprints in [0, 1], under 0.04 for crystals that may be the same;
group_duplicates decides.

Raises ShapeError, SpeciesError, and NumericsError for values that are not finite or a periodic cell without volume.)";

constexpr const char* k_frame_doc = R"(A structure with what a calculation says of it; each part may be None.

It does not change: info and arrays are views that cannot be written to; `with_info` makes another frame.

Attributes: structure, energy (extrapolated to zero smearing, or the only one there is) [eV], free_energy (the one that
forces derive from) [eV], forces (n_atoms, 3) [eV/Å], stress (3, 3) [eV/Å³, tensile positive], info (texts by key),
arrays ((n_atoms, k) by key).)";

/// An array whose values are a copy: what is written to them would be lost. None stays None.
py::object read_only(py::object array) {
  if (!array.is_none()) array.attr("setflags")(py::arg("write") = false);
  return array;
}

py::object mapping_proxy(py::object entries) { return py::module_::import("types").attr("MappingProxyType")(std::move(entries)); }

Coordinates coordinates_of(const Array& array, const char* what) {
  if (array.ndim() == 1 && array.size() == 0) return Coordinates(0, 3);
  if (array.ndim() != 2 || array.shape(1) != 3)
    throw ShapeError(std::string(what) + " must have the shape (n_atoms, 3), got " +
                     py::str(array.attr("shape")).cast<std::string>());
  return Eigen::Map<const Coordinates>(array.data(), array.shape(0), 3);
}

Mat3 matrix_of(const Array& array, const char* what) {
  if (array.ndim() != 2 || array.shape(0) != 3 || array.shape(1) != 3)
    throw ShapeError(std::string(what) + " must have the shape (3, 3), got " +
                     py::str(array.attr("shape")).cast<std::string>());
  return Eigen::Map<const Mat3>(array.data());
}

/// Symbols or atomic numbers.
std::vector<Element> species_of(const py::iterable& items) {
  std::vector<Element> species;
  for (const py::handle item : items)
    species.push_back(py::isinstance<py::str>(item) ? Element::from_symbol(item.cast<std::string>())
                                                    : Element(py::int_(py::reinterpret_borrow<py::object>(item)).cast<int>()));
  return species;
}

Structure make_structure(const py::iterable& species, const Array& positions, const std::optional<Array>& cell,
                         const std::optional<Periodicity>& pbc, bool fractional) {
  const Lattice lattice = cell ? Lattice(matrix_of(*cell, "cell")) : Lattice();
  const Periodicity periodicity = pbc.value_or(cell ? k_periodic : k_molecule);
  Coordinates values = coordinates_of(positions, "positions");
  if (fractional) return Structure(lattice, periodicity, species_of(species), Fractional{std::move(values)});
  return Structure(lattice, periodicity, species_of(species), Cartesian{std::move(values)});
}

std::vector<std::string> symbols_of(const Structure& structure) {
  std::vector<std::string> symbols;
  for (const Element element : structure.species()) symbols.emplace_back(element.symbol());
  return symbols;
}

py::array_t<double> masses_of(const Structure& structure) {
  py::array_t<double> masses(static_cast<py::ssize_t>(structure.size()));
  for (std::size_t i = 0; i < structure.size(); ++i) masses.mutable_at(static_cast<py::ssize_t>(i)) = structure.species()[i].mass();
  return masses;
}

py::array_t<int> numbers_of(const Structure& structure) {
  py::array_t<int> numbers(static_cast<py::ssize_t>(structure.size()));
  for (std::size_t i = 0; i < structure.size(); ++i)
    numbers.mutable_at(static_cast<py::ssize_t>(i)) = structure.species()[i].number();
  return numbers;
}

void bind_structure_class(py::module_& module) {
  py::class_<SpaceGroup>(module, "SpaceGroup", k_space_group_doc)
      .def_readonly("number", &SpaceGroup::number)
      .def_readonly("symbol", &SpaceGroup::symbol)
      .def_readonly("hall_number", &SpaceGroup::hall_number)
      .def_readonly("equivalent", &SpaceGroup::equivalent)
      .def("__repr__", [](const SpaceGroup& g) { return "SpaceGroup(" + g.symbol + ", " + std::to_string(g.number) + ")"; });

  py::class_<Structure>(module, "Structure", k_structure_doc)
      .def(py::init(&make_structure), py::arg("species"), py::arg("positions"), py::arg("cell") = py::none(),
           py::arg("pbc") = py::none(), py::kw_only(), py::arg("fractional") = false)
      .def("__len__", &Structure::size)
      .def("__eq__", [](const Structure& a, const Structure& b) { return a.content_hash() == b.content_hash(); }, py::is_operator())
      .def("__hash__", [](const Structure& s) { return py::hash(py::str(s.content_hash())); })
      .def("__repr__", [](const Structure& s) {
        return "Structure(" + s.composition().formula() + ", " + std::to_string(s.size()) + " atoms)"; })
      .def_property_readonly("symbols", &symbols_of)
      .def_property_readonly("numbers", &numbers_of)
      .def_property_readonly("masses", &masses_of)
      .def_property_readonly("positions", &Structure::positions, py::return_value_policy::reference_internal)
      .def_property_readonly("cell", [](const Structure& s) { return read_only(py::cast(s.lattice().rows())); })
      .def_property_readonly("pbc", &Structure::periodicity)
      .def_property_readonly("fractional", [](const Structure& s) { return read_only(py::cast(s.fractional().values)); })
      .def_property_readonly("volume", [](const Structure& s) { return s.lattice().volume(); })
      .def_property_readonly("formula", [](const Structure& s) { return s.composition().formula(); })
      .def_property_readonly("reduced_formula", [](const Structure& s) { return s.composition().reduced().formula(); })
      .def_property_readonly("system", [](const Structure& s) { return s.composition().system(); })
      .def_property_readonly("content_hash", &Structure::content_hash)
      .def("space_group", &space_group, py::arg("tolerance") = 0.01, Release())
      .def("primitive_cell", &primitive_cell, py::arg("tolerance") = 0.01, Release())
      .def("conventional_cell", &conventional_cell, py::arg("tolerance") = 0.01, Release())
      .def("symmetrized", &symmetrized, py::arg("tolerance") = 0.01, Release())
      .def("supercell", &Structure::supercell, py::arg("copies"), Release())
      .def("strained", [](const Structure& s, const Array& strain) { return s.strained(matrix_of(strain, "strain")); },
           py::arg("strain"))
      .def("with_positions",
           [](const Structure& s, const Array& p) { return s.with_positions(Cartesian{coordinates_of(p, "positions")}); },
           py::arg("positions"))
      .def("shortest_distance", &Structure::shortest_distance, Release())
      .def("distance_to", [](const Structure& a, const Structure& b) { return Fingerprint(a).distance(Fingerprint(b)); },
           py::arg("other"), Release())
      .def(py::pickle(
          [](const Structure& s) { return py::make_tuple(numbers_of(s), s.positions(), s.lattice().rows(), s.periodicity()); },
          [](const py::tuple& t) {
            return make_structure(t[0], t[1].cast<Array>(), t[2].cast<Array>(), t[3].cast<Periodicity>(), false);
          }));
}

Frame make_frame(const Structure& structure, std::optional<double> energy, std::optional<double> free_energy,
                 const std::optional<Array>& forces, const std::optional<Array>& stress,
                 std::map<std::string, std::string> info, std::map<std::string, Eigen::MatrixXd> arrays) {
  Frame frame{structure, {}, std::move(info), std::move(arrays)};
  frame.labels.energy = energy;
  frame.labels.free_energy = free_energy;
  if (forces) frame.labels.forces = coordinates_of(*forces, "forces");
  if (stress) frame.labels.stress = matrix_of(*stress, "stress");
  require_rows(frame);
  return frame;
}

py::object arrays_of(const Frame& frame) {
  py::dict arrays;
  for (const auto& [key, values] : frame.arrays) arrays[py::str(key)] = read_only(py::cast(values));
  return mapping_proxy(std::move(arrays));
}

/// Entries are texts in a file, so that they are texts here, too; None takes one away.
Frame with_info(Frame frame, const py::kwargs& entries) {
  for (const auto& [key, value] : entries) {
    const auto name = key.cast<std::string>();
    if (value.is_none()) frame.info.erase(name);
    else frame.info[name] = py::str(value).cast<std::string>();
  }
  return frame;
}

void bind_frame_class(py::module_& module) {
  py::class_<Frame>(module, "Frame", k_frame_doc)
      .def(py::init(&make_frame), py::arg("structure"), py::kw_only(), py::arg("energy") = py::none(),
           py::arg("free_energy") = py::none(), py::arg("forces") = py::none(), py::arg("stress") = py::none(),
           py::arg("info") = std::map<std::string, std::string>{}, py::arg("arrays") = std::map<std::string, Eigen::MatrixXd>{})
      .def_property_readonly("structure", [](const Frame& f) { return f.structure; })
      .def_property_readonly("energy", [](const Frame& f) { return f.labels.energy; })
      .def_property_readonly("free_energy", [](const Frame& f) { return f.labels.free_energy; })
      .def_property_readonly("consistent_energy", [](const Frame& f) { return f.labels.consistent_energy(); })
      .def_property_readonly("forces", [](const Frame& f) { return read_only(py::cast(f.labels.forces)); })
      .def_property_readonly("stress", [](const Frame& f) { return read_only(py::cast(f.labels.stress)); })
      .def_property_readonly("info", [](const Frame& f) { return mapping_proxy(py::cast(f.info)); })
      .def_property_readonly("arrays", &arrays_of)
      .def("with_info", &with_info)
      .def("__repr__", [](const Frame& f) { return "Frame(" + f.structure.composition().formula() + ")"; })
      .def(py::pickle(
          [](const Frame& f) {
            return py::make_tuple(f.structure, f.labels.energy, f.labels.free_energy, f.labels.forces, f.labels.stress, f.info, f.arrays);
          },
          [](const py::tuple& t) {
            return make_frame(t[0].cast<Structure>(), t[1].cast<std::optional<double>>(), t[2].cast<std::optional<double>>(),
                              t[3].cast<std::optional<Array>>(), t[4].cast<std::optional<Array>>(),
                              t[5].cast<std::map<std::string, std::string>>(), t[6].cast<std::map<std::string, Eigen::MatrixXd>>());
          }));
}

std::vector<std::string> format_names() {
  std::vector<std::string> names;
  for (const Format& format : formats()) names.push_back(format.name);
  return names;
}

/// Names that files and objects of ASE have for labels, by what they mean.
std::map<std::string, std::vector<std::string>> label_names() {
  const extxyz::Names names{LabelKeys{}};
  return {{"energy", names.energy}, {"free_energy", names.free_energy}, {"forces", names.forces}, {"stress", names.stress}, {"virial", names.virial}};
}

}  // namespace

void bind_structure(py::module_& module) {
  bind_structure_class(module);
  bind_frame_class(module);
  module.def("formats", &format_names);
  module.def("label_names", &label_names);
  module.def("read_frames", &read_frames, py::arg("path"), py::arg("format") = "", Release());
  module.def("read_structure", &read_structure, py::arg("path"), py::arg("format") = "", Release());
  module.def("write_frames",
             [](const std::filesystem::path& path, const std::vector<Frame>& frames, const std::string& format) {
               write_frames(path, frames, format);
             },
             py::arg("path"), py::arg("frames"), py::arg("format") = "", Release());
  module.def("read_data_set",
             [](const std::filesystem::path& path) {
               DataSet data = read_data_set(path);
               return std::tuple(std::move(data.card), std::move(data.frames), std::move(data.failures));
             },
             py::arg("path"), Release());
  module.def("write_data_set",
             [](const std::filesystem::path& path, const std::map<std::string, std::string>& card,
                const std::vector<Frame>& frames, const std::vector<Frame>& failures) {
               write_data_set(path, {card, frames, failures});
             },
             py::arg("path"), py::arg("card"), py::arg("frames"), py::arg("failures"), Release());
  module.def("group_duplicates",
             [](const std::vector<Structure>& structures) { return group_duplicates(structures); }, py::arg("structures"),
             Release());
}

}  // namespace tamiz::python
