#pragma once

#include <pybind11/pybind11.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "tamiz/core/structure/structure.hpp"

/// What the bind_*.cpp files share. They translate arguments and results, and hold no logic of their own.
namespace tamiz::python {

namespace py = pybind11;

void bind_structure(py::module_& module);   ///< core/structure, core/io
void bind_simulation(py::module_& module);  ///< core/simulation
void bind_potentials(py::module_& module);  ///< potentials/engine
void bind_screening(py::module_& module);   ///< screening
void bind_properties(py::module_& module);  ///< screening/properties
void bind_analysis(py::module_& module);    ///< core/analysis

/// Makes Ctrl-C work inside long calls that have released the GIL. Python is asked a few times per second, so
/// that a call does not wait for the GIL at each of its steps.
class Interrupt {
 public:
  /// Throws the exception of a signal handler that ran (KeyboardInterrupt). Call without the GIL.
  void raise_if_pending() {
    const auto now = std::chrono::steady_clock::now();
    if (now - last_ < k_interval) return;
    last_ = now;
    const py::gil_scoped_acquire gil;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  }

 private:
  static constexpr std::chrono::milliseconds k_interval{100};
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

/// Asks for pending signals as a `stop` function; the exception waits until the work has stopped in good order.
class Stop {
 public:
  bool operator()() {
    keep([&] { interrupt_.raise_if_pending(); });
    return exception_.has_value();
  }
  /// Calls what may raise in Python; its exception waits as well. With the GIL, where `call` needs it.
  template <typename Call>
  void keep(const Call& call) {
    try {
      call();
    } catch (py::error_already_set& error) {
      if (!exception_) exception_.emplace(error);
    }
  }
  void raise_if_stopped() const {
    if (exception_) throw *exception_;
  }

 private:
  Interrupt interrupt_;
  std::optional<py::error_already_set> exception_;
};

}  // namespace tamiz::python
