#include <pybind11/eigen.h>
#include <pybind11/stl.h>

#include <optional>
#include <string>

#include "tamiz/python/src/bind.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/simulation/dynamics.hpp"
#include "tamiz/core/simulation/relax.hpp"

namespace tamiz::python {
namespace {

using Release = py::call_guard<py::gil_scoped_release>;

/// Arrays of a prediction as views that keep it alive.
struct Evaluated {
  Outputs asked;  // what was not asked for is None, also where there are no atoms
  Prediction values;
  std::vector<std::size_t> offsets;
};

Evaluated evaluate_batch(const Potential& potential, const std::vector<Structure>& structures, bool forces, bool stress,
                         bool atom_energies, bool members, bool descriptors, bool uncertainty_gradients) {
  const Outputs outputs{.forces = forces,
                        .stress = stress,
                        .atom_energies = atom_energies,
                        .members = members,
                        .descriptors = descriptors,
                        .uncertainty_gradients = uncertainty_gradients};
  const Batch batch(structures);
  const auto offsets = batch.offsets();
  return {outputs, evaluate(potential, structures, outputs), {offsets.begin(), offsets.end()}};
}

/// One array (n_atoms, 3) per structure.
std::vector<Coordinates> multiply_batch(const Potential& potential, const std::vector<Structure>& structures,
                                        const std::vector<Coordinates>& directions) {
  if (directions.size() != structures.size())
    throw ShapeError("got directions for " + std::to_string(directions.size()) + " of " + std::to_string(structures.size()) + " structures");
  Eigen::Index n_atoms = 0;
  for (const Structure& structure : structures) n_atoms += static_cast<Eigen::Index>(structure.size());
  Coordinates all(n_atoms, 3);
  Eigen::Index row = 0;
  for (std::size_t s = 0; s < structures.size(); ++s) {
    const auto n = static_cast<Eigen::Index>(structures[s].size());
    if (directions[s].rows() != n)
      throw ShapeError("structure " + std::to_string(s) + " has " + std::to_string(n) + " atoms, its directions " + std::to_string(directions[s].rows()) + " rows");
    all.middleRows(row, n) = directions[s];
    row += n;
  }
  const Coordinates products = hessian_vector_products(potential, structures, all);
  std::vector<Coordinates> of_structures;
  row = 0;
  for (const Coordinates& each : directions) {
    of_structures.push_back(products.middleRows(row, each.rows()));
    row += each.rows();
  }
  return of_structures;
}

/// Rows of each structure of an array (n_atoms, width) that `owner` holds.
py::list rows_of_structures(const py::object& owner, const double* data, py::ssize_t width) {
  const auto& offsets = owner.cast<const Evaluated&>().offsets;
  py::list rows;
  for (std::size_t s = 0; s + 1 < offsets.size(); ++s) {
    std::vector<py::ssize_t> shape{static_cast<py::ssize_t>(offsets[s + 1] - offsets[s])};
    if (width > 1) shape.push_back(width);
    rows.append(py::array_t<double>(shape, data + static_cast<py::ssize_t>(offsets[s]) * width, owner));
  }
  return rows;
}

/// One row per atom.
template <Coordinates Prediction::* Member, bool Outputs::* Asked>
py::object coordinates_of(const py::object& self) {
  const auto& evaluated = self.cast<const Evaluated&>();
  if (!(evaluated.asked.*Asked)) return py::none();
  return rows_of_structures(self, (evaluated.values.*Member).data(), 3);
}

py::object atom_energies_of(const py::object& self) {
  const auto& evaluated = self.cast<const Evaluated&>();
  if (!evaluated.asked.atom_energies) return py::none();
  return rows_of_structures(self, evaluated.values.atom_energies.data(), 1);
}

py::object descriptors_of(const py::object& self) {
  const auto& evaluated = self.cast<const Evaluated&>();
  if (!evaluated.asked.descriptors) return py::none();
  const auto& descriptors = evaluated.values.descriptors;
  return rows_of_structures(self, descriptors.data(), descriptors.cols());
}

/// One matrix per structure.
py::object matrices_of(const py::object& self, const std::vector<Mat3>& matrices) {
  const double* data = matrices.empty() ? nullptr : matrices.front().data();
  return py::array_t<double>({static_cast<py::ssize_t>(matrices.size()), py::ssize_t{3}, py::ssize_t{3}}, data, self);
}

py::object stresses_of(const py::object& self) {
  const auto& evaluated = self.cast<const Evaluated&>();
  return evaluated.asked.stress ? matrices_of(self, evaluated.values.stresses) : py::none();
}

py::object uncertainty_stresses_of(const py::object& self) {
  const auto& evaluated = self.cast<const Evaluated&>();
  const bool asked = evaluated.asked.stress && evaluated.asked.uncertainty_gradients;
  return asked ? matrices_of(self, evaluated.values.uncertainty_stresses) : py::none();
}

py::object member_energies_of(const Evaluated& self) {
  const bool asked = self.asked.members || self.asked.uncertainty_gradients;
  return asked ? py::cast(self.values.member_energies) : py::none();
}

void bind_potential(py::module_& module) {
  py::class_<Evaluated>(module, "Prediction")
      .def_property_readonly("energies", [](const Evaluated& e) -> const Eigen::VectorXd& { return e.values.energies; },
                             py::return_value_policy::reference_internal)
      .def_property_readonly("forces", &coordinates_of<&Prediction::forces, &Outputs::forces>)
      .def_property_readonly("stresses", &stresses_of)
      .def_property_readonly("atom_energies", &atom_energies_of)
      .def_property_readonly("member_energies", &member_energies_of)
      .def_property_readonly("descriptors", &descriptors_of)
      .def_property_readonly("uncertainty_gradients", &coordinates_of<&Prediction::uncertainty_gradients, &Outputs::uncertainty_gradients>)
      .def_property_readonly("uncertainty_stresses", &uncertainty_stresses_of);

  py::class_<Potential>(module, "Potential")
      .def_property_readonly("name", &Potential::name)
      .def_property_readonly("cutoff", [](const Potential& p) { return p.neighbors().cutoff; })
      .def_property_readonly("n_members", [](const Potential& p) { return p.capabilities().n_members; })
      .def_property_readonly("elements", [](const Potential& p) {
        std::vector<std::string> symbols;
        for (const Element element : p.capabilities().elements) symbols.emplace_back(element.symbol());
        return symbols;
      })
      .def("evaluate", &evaluate_batch, py::arg("structures"), py::arg("forces"), py::arg("stress"),
           py::arg("atom_energies"), py::arg("members"), py::arg("descriptors"),
           py::arg("uncertainty_gradients"), Release())
      .def("hessian_vector_products", &multiply_batch, py::arg("structures"), py::arg("directions"), Release());
}

void bind_relaxation(py::module_& module) {
  py::class_<RelaxResult>(module, "RelaxResult", R"(How a relaxation ended.

Attributes: structure (the last that was evaluated), status ("converged", "out of steps", "exploded", "collapsed",
"unknown species", "not finite"), converged, reason (empty when converged), steps, and energy [eV], fmax [eV/Å],
smax [eV/Å³], which are NaN where the structure was never evaluated, smax without `cell`, too.)")
      .def_property_readonly("structure", [](const RelaxResult& r) { return r.structure; })
      .def_property_readonly("status", [](const RelaxResult& r) { return std::string(to_string(r.status)); })
      .def_property_readonly("converged", [](const RelaxResult& r) { return r.status == RelaxStatus::converged; })
      .def_readonly("reason", &RelaxResult::reason)
      .def_readonly("steps", &RelaxResult::steps)
      .def_readonly("energy", &RelaxResult::energy)
      .def_readonly("fmax", &RelaxResult::fmax)
      .def_readonly("smax", &RelaxResult::smax)
      .def("__repr__", [](const RelaxResult& r) {
        return "RelaxResult(" + r.structure.composition().formula() + ", " + std::string(to_string(r.status)) + " after " +
               std::to_string(r.steps) + " steps)"; });

  module.def("relax",
             [](const Potential& potential, const std::vector<Structure>& structures, bool cell, double fmax, double smax,
                double pressure, int max_steps, std::size_t atoms_per_batch) {
               RelaxOptions options;
               options.cell = cell;
               options.fmax = fmax;
               options.smax = smax;
               options.pressure = pressure;
               options.max_steps = max_steps;
               options.atoms_per_batch = atoms_per_batch;
               Interrupt interrupt;
               return relax(potential, structures, options, [&](std::size_t) {
                 interrupt.raise_if_pending();
                 return true;
               });
             },
             py::arg("potential"), py::arg("structures"), py::arg("cell"), py::arg("fmax"), py::arg("smax"),
             py::arg("pressure"), py::arg("max_steps"), py::arg("atoms_per_batch"), Release());
}

/// One structure in motion: what `run_dynamics` needs, kept between calls.
struct Motion {
  std::vector<Structure> start;
  Batch batch;
  State state;

  explicit Motion(const Structure& structure) : start{structure}, batch(start), state(State::of(start)) {}
};

Ensemble ensemble_of(const std::string& name) {
  if (name == "nve") return Ensemble::nve;
  if (name == "langevin") return Ensemble::langevin;
  throw CapabilityError("unknown ensemble '" + name + "', expected nve or langevin");
}

/// `observer(kinetic, potential, temperature, conserved)` is called where the step is a multiple of `every`, and at
/// the last one; it reads the rest from the motion. False stops.
void run(Motion& motion, const Potential& potential, const std::string& ensemble, double timestep, double temperature,
         double friction, std::uint64_t seed, std::int64_t steps, std::int64_t every, const py::object& observer) {
  const DynamicsOptions options{.ensemble = ensemble_of(ensemble), .timestep = timestep, .temperature = temperature,
                                .friction = friction, .seed = seed, .steps = steps};
  const bool observed = !observer.is_none();
  const py::gil_scoped_release release;
  Interrupt interrupt;
  run_dynamics(potential, motion.batch, motion.state, options, [&](const Snapshot& now) {
    interrupt.raise_if_pending();
    if (!observed || (now.state.step % every != 0 && now.state.step != steps)) return true;
    const py::gil_scoped_acquire gil;
    const py::object go_on = observer(now.kinetic_energy, now.prediction.energies[0], now.temperature, now.conserved_energy);
    return go_on.is_none() || go_on.cast<bool>();
  });
}

void bind_dynamics(py::module_& module) {
  py::class_<Motion>(module, "Motion")
      .def(py::init<const Structure&>(), py::arg("structure"))
      .def_property_readonly("structure", [](const Motion& m) { return structure_of(m.batch, m.state, 0); })
      .def_property("step", [](const Motion& m) { return m.state.step; },
                    [](Motion& m, std::int64_t step) { m.state.step = step; })
      .def_property("velocities", [](const Motion& m) { return m.state.velocities; },
                    [](Motion& m, const Coordinates& velocities) { m.state.velocities = velocities; })
      .def("set_thermal_velocities",
           [](Motion& m, double temperature, std::uint64_t seed) { set_thermal_velocities(m.batch, m.state, temperature, seed); },
           py::arg("temperature"), py::arg("seed"))
      .def("run", &run, py::arg("potential"), py::arg("ensemble"), py::arg("timestep"), py::arg("temperature"),
           py::arg("friction"), py::arg("seed"), py::arg("steps"), py::arg("every"), py::arg("observer") = py::none());
}

}  // namespace

void bind_simulation(py::module_& module) {
  bind_potential(module);
  bind_relaxation(module);
  bind_dynamics(module);
}

}  // namespace tamiz::python
