#include <pybind11/complex.h>
#include <pybind11/eigen.h>
#include <pybind11/stl.h>

#include "tamiz/core/analysis/curvature.hpp"
#include "tamiz/core/analysis/hull.hpp"
#include "tamiz/core/analysis/phonons.hpp"
#include "tamiz/python/src/bind.hpp"

namespace tamiz::python {
namespace {

using Release = py::call_guard<py::gil_scoped_release>;

ConvexHull hull_of(const std::vector<std::string>& ids, const std::vector<std::string>& formulas, const std::vector<double>& energies) {
  std::vector<Phase> phases;
  for (std::size_t k = 0; k < ids.size(); ++k) phases.push_back({ids[k], Composition::from_formula(formulas[k]), energies[k]});
  return ConvexHull(std::move(phases));
}

/// Energy above the hull [eV/atom] and the share of atoms of each product, by its id.
std::pair<double, std::map<std::string, double>> decompose(const ConvexHull& hull, const std::string& formula, double energy,
                                                           const std::vector<std::string>& without) {
  const HullResult result = hull.decompose_without(Composition::from_formula(formula), energy, without);
  std::map<std::string, double> products;
  for (const DecompositionProduct& product : result.products) products[hull.phases()[product.phase].id] += product.atomic_fraction;
  return {result.energy_above_hull, products};
}

std::optional<std::pair<double, double>> potential_range(const ConvexHull& hull, const std::string& formula, double energy,
                                                         const std::string& element) {
  const ChemicalPotentialRange range = hull.stability_range(Composition::from_formula(formula), energy, Element::from_symbol(element));
  if (!range.stable) return std::nullopt;
  return std::pair(range.low, range.high);
}

/// Phonons with what they were made of.
struct Vibrations {
  Structure cell;
  std::array<int, 3> copies;
  double largest_force;
  int threads;
  Phonons phonons;
};

Vibrations vibrations_of(const Potential& potential, const Structure& cell, std::array<int, 3> copies, double displacement,
                         std::size_t atoms_per_batch) {
  Interrupt interrupt;
  const ForceConstants constants = force_constants(potential, cell, copies, {displacement, atoms_per_batch},
                                                   [&](std::size_t, std::size_t) { interrupt.raise_if_pending(); });
  return {cell, copies, constants.largest_force, potential.threads(), Phonons(constants)};
}

std::vector<Vec3> points_of(const Coordinates& rows) {
  std::vector<Vec3> points;
  for (const auto& row : rows.rowwise()) points.emplace_back(row.transpose());
  return points;
}

void bind_phonons(py::module_& module) {
  py::class_<Vibrations>(module, "Phonons")
      .def(py::init(&vibrations_of), py::arg("potential"), py::arg("cell"), py::arg("copies"), py::arg("displacement"),
           py::arg("atoms_per_batch"), Release())
      .def_property_readonly("structure", [](const Vibrations& v) { return v.cell; })
      .def_property_readonly("copies", [](const Vibrations& v) { return v.copies; })
      .def_property_readonly("largest_force", [](const Vibrations& v) { return v.largest_force; })
      .def("frequencies", [](const Vibrations& v, const Coordinates& points) { return v.phonons.frequencies(points_of(points), v.threads); }, Release())
      .def("mesh", [](const Vibrations& v, std::array<int, 3> numbers) { return v.phonons.frequencies(phonon_mesh(numbers), v.threads); }, Release())
      .def("dynamical_matrix", [](const Vibrations& v, const Vec3& point) { return v.phonons.dynamical_matrix(point); }, Release())
      .def("along_lowest", [](const Vibrations& v, const Vec3& point, double amplitude) { return v.phonons.along_lowest(point, amplitude); }, Release())
      .def("lowest", [](const Vibrations& v) {
        const Phonons::Mode mode = v.phonons.lowest(v.threads);
        return std::pair(mode.frequency, mode.wave_vector);
      }, Release());
  module.attr("phonon_length") = k_phonon_length;
  module.attr("phonon_tolerance") = k_phonon_tolerance;
  module.def("phonon_cell", &phonon_cell, py::arg("structure"), Release());
  module.def("relax_before_phonons", [](const Potential& potential, const Structure& structure) {
    Interrupt interrupt;
    return relax(potential, std::vector<Structure>{structure}, k_before_phonons, [&](std::size_t) {
             interrupt.raise_if_pending();
             return true;
           }).front();
  }, py::arg("potential"), py::arg("structure"), Release());
  module.def("curvature", &curvature, py::arg("potential"), py::arg("crystal"), Release());
  module.def("supercell_copies", &copies_for, py::arg("structure"), py::arg("length"));
  module.def("harmonic_properties", [](const Eigen::MatrixXd& frequencies, const std::vector<double>& temperatures) {
    Eigen::MatrixX4d rows(static_cast<Eigen::Index>(temperatures.size()), 4);
    for (std::size_t k = 0; k < temperatures.size(); ++k) {
      const HarmonicProperties at = harmonic_properties(frequencies, temperatures[k]);
      rows.row(static_cast<Eigen::Index>(k)) << at.temperature, at.free_energy, at.entropy, at.heat_capacity;
    }
    return rows;
  }, py::arg("frequencies"), py::arg("temperatures"), Release());
}

}  // namespace

void bind_analysis(py::module_& module) {
  bind_phonons(module);
  py::class_<ConvexHull>(module, "ConvexHull")
      .def(py::init(&hull_of), Release())
      .def("decompose", &decompose, Release())
      .def("formation_energy", [](const ConvexHull& hull, const std::string& formula, double energy) {
        return hull.formation_energy(Composition::from_formula(formula), energy);
      }, Release())
      .def("potential_range", &potential_range, Release())
      .def("__len__", [](const ConvexHull& hull) { return hull.phases().size(); });
}

}  // namespace tamiz::python
