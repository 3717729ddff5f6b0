#include <pybind11/stl.h>

#include "tamiz/core/analysis/hull.hpp"
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

}  // namespace

void bind_analysis(py::module_& module) {
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
