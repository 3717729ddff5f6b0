#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include "tamiz/python/src/bind.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/log.hpp"
#include "tamiz/core/base/parallel.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/base/version.hpp"

namespace tamiz::python {
namespace {

void raise(const char* name, const std::exception& error) {
  const py::object type = py::module_::import("tamiz.errors").attr(name);
  PyErr_SetString(type.ptr(), error.what());
}

/// The classes of tamiz.errors carry the names of core/base/error.hpp.
void translate(std::exception_ptr thrown) {
  try {
    if (thrown) std::rethrow_exception(thrown);
  } catch (const FileError& error) {
    raise("FileError", error);
  } catch (const FormatError& error) {
    raise("FormatError", error);
  } catch (const ShapeError& error) {
    raise("ShapeError", error);
  } catch (const UnitError& error) {
    raise("UnitError", error);
  } catch (const SpeciesError& error) {
    raise("SpeciesError", error);
  } catch (const CapabilityError& error) {
    raise("CapabilityError", error);
  } catch (const ConvergenceError& error) {
    raise("ConvergenceError", error);
  } catch (const NumericsError& error) {
    raise("NumericsError", error);
  } catch (const OracleError& error) {
    raise("OracleError", error);
  } catch (const Error& error) {
    raise("Error", error);
  }
}

log::Level level_of(const std::string& name) {
  const std::vector<std::string> names{"debug", "info", "warning", "error", "off"};
  for (std::size_t k = 0; k < names.size(); ++k)
    if (names[k] == name) return static_cast<log::Level>(k);
  const std::string nearest = nearest_name(name, names);
  throw CapabilityError("unknown log level '" + name + "', expected debug, info, warning, error or off" +
                        (nearest.empty() ? "" : "; did you mean " + nearest));
}

}  // namespace
}  // namespace tamiz::python

PYBIND11_MODULE(_tamiz, module) {
  namespace py = pybind11;
  using namespace tamiz;
  module.doc() = "The compiled part of tamiz; use it through the package.";
  module.attr("version") = std::string(version());
  module.attr("commit") = std::string(commit());
  module.attr("torch_version") = TAMIZ_TORCH_VERSION;
  py::register_exception_translator(&python::translate);
  module.def("data_directory", &data_directory);
  module.def("available_threads", &available_threads);
  module.def("set_log_level", [](const std::string& name) { log::set_level(python::level_of(name)); }, py::arg("level"));
  python::bind_structure(module);
  python::bind_simulation(module);
  python::bind_potentials(module);
  python::bind_screening(module);
  python::bind_properties(module);
  python::bind_analysis(module);
}
