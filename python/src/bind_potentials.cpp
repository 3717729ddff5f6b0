#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <optional>

#include "tamiz/core/base/memory.hpp"
#include "tamiz/core/base/parallel.hpp"
#include "tamiz/potentials/engine/import/import_mace.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/potentials/engine/model_file.hpp"
#include "tamiz/potentials/engine/torch_backend.hpp"
#include "tamiz/potentials/engine/trainer.hpp"
#include "tamiz/potentials/engine/training/calibration.hpp"
#include "tamiz/potentials/engine/training/train_config.hpp"
#include "tamiz/python/src/bind.hpp"

namespace tamiz::python {
namespace {

namespace fs = std::filesystem;
using Release = py::call_guard<py::gil_scoped_release>;

std::unique_ptr<Potential> load(const fs::path& file, const std::string& dtype, const std::string& device, int threads,
                                const std::string& engine, const std::string& memory) {
  return load_potential(file, {.dtype = dtype,
                               .device = device,
                               .threads = threads > 0 ? threads : available_threads(),
                               .engine = engine,
                               .memory = memory.empty() ? 0 : parse_bytes(memory)});
}

/// Settings of a training, as its keyword arguments give them.
struct TrainCall {
  std::optional<fs::path> config, initial;
  std::optional<std::int64_t> steps;
  std::optional<double> learning_rate, minutes;
  std::optional<int> batch_size;
  std::optional<std::string> dtype;
  std::uint64_t seed;
  int threads;
  std::string engine;
};

TrainConfig config_of(const TrainCall& call) {
  TrainConfig config = call.config ? read_train_config(*call.config) : TrainConfig{};
  config.seed = call.seed;
  config.threads = call.threads;
  config.engine = call.engine;
  if (call.steps) config.steps = *call.steps;
  if (call.learning_rate) config.learning_rate = *call.learning_rate;
  if (call.batch_size) config.batch_size = *call.batch_size;
  if (call.dtype) config.dtype = *call.dtype;
  return config;
}

TrainResult run_training(const TrainCall& call, const std::vector<Frame>& frames, const std::vector<Frame>& validation,
                         const fs::path& checkpoint, const py::object& progress) {
  const bool watched = !progress.is_none();
  const py::gil_scoped_release release;
  std::optional<ModelFile> initial;
  if (call.initial) initial = ModelFile::read(*call.initial);
  Stop stop;
  TrainCallbacks callbacks;
  callbacks.checkpoint = checkpoint;
  if (watched)
    callbacks.progress = [&](std::int64_t step, std::int64_t total, double loss) {
      const py::gil_scoped_acquire gil;
      stop.keep([&] { progress(step, total, loss); });  // a Ctrl-C that Python notices in there, too, waits for the checkpoint
    };
  callbacks.should_stop = [&] { return stop(); };  // the trainer writes its checkpoint first
  TrainConfig config = config_of(call);
  if (call.minutes) {
    const auto planned = planned_steps(checkpoint);
    config.steps = planned ? *planned : steps_within(config, frames, initial, validation, *call.minutes, callbacks.should_stop);
    stop.raise_if_stopped();
  }
  TrainResult result = train(config, frames, initial, callbacks, validation);
  stop.raise_if_stopped();
  return result;
}

void bind_training(py::module_& module) {
  py::class_<ErrorSummary>(module, "ErrorSummary")
      .def_readonly("n_frames", &ErrorSummary::n_frames)
      .def_readonly("n_atoms", &ErrorSummary::n_atoms)
      .def_readonly("energy_mae", &ErrorSummary::energy_mae)
      .def_readonly("energy_rmse", &ErrorSummary::energy_rmse)
      .def_readonly("force_mae", &ErrorSummary::force_mae)
      .def_readonly("stress_mae", &ErrorSummary::stress_mae)
      .def_readonly("mean_force", &ErrorSummary::mean_force)
      .def_readonly("score", &ErrorSummary::score);

  py::class_<TrainResult>(module, "TrainResult")
      .def_readonly("training", &TrainResult::training)
      .def_readonly("validation", &TrainResult::validation)
      .def_readonly("steps", &TrainResult::steps)
      .def("write",
           [](TrainResult& result, const fs::path& path, const std::map<std::string, std::string>& card) {
             for (const auto& [key, value] : card) result.model.card.entries[key] = value;
             result.model.write(path);
           },
           py::arg("path"), py::arg("card"), Release());

  module.def("train",
             [](const std::vector<Frame>& frames, const std::vector<Frame>& validation, std::optional<fs::path> config,
                std::optional<fs::path> initial, std::optional<std::int64_t> steps, std::optional<double> minutes,
                std::optional<double> learning_rate, std::optional<int> batch_size, std::optional<std::string> dtype,
                std::uint64_t seed, int threads, const std::string& engine, const fs::path& checkpoint,
                const py::object& progress) {
               const TrainCall call{config, initial, steps, learning_rate, minutes, batch_size, dtype, seed, threads, engine};
               return run_training(call, frames, validation, checkpoint, progress);
             },
             py::arg("frames"), py::arg("validation"), py::arg("config"), py::arg("initial"), py::arg("steps"),
             py::arg("minutes"), py::arg("learning_rate"), py::arg("batch_size"), py::arg("dtype"), py::arg("seed"),
             py::arg("threads"), py::arg("engine"), py::arg("checkpoint"), py::arg("progress"));
}

}  // namespace

void bind_potentials(py::module_& module) {
  module.def("load_potential", &load, py::arg("file"), py::arg("dtype"), py::arg("device"), py::arg("threads"),
             py::arg("engine"), py::arg("memory"), Release());
  module.def("loaded_torch_version", [] { return torch_backend().torch_version(); }, Release());
  module.def("model_header",
             [](const fs::path& path) {
               const ModelFile model = ModelFile::read(path);
               return std::pair(to_json(model.description), model.card.entries);
             },
             py::arg("path"), Release());
  module.def("import_mace",
             [](const fs::path& path, const fs::path& out, const std::string& head, const std::map<std::string, std::string>& card) {
               import_mace(path, {head, card}).write(out);
             },
             py::arg("path"), py::arg("out"), py::arg("head"), py::arg("card"), Release());
  bind_training(module);
  py::class_<Calibration>(module, "Calibration")
      .def_readonly("n_frames", &Calibration::n_frames)
      .def_readonly("expected", &Calibration::expected)
      .def_readonly("observed", &Calibration::observed)
      .def_readonly("miscalibration_area", &Calibration::miscalibration_area)
      .def_readonly("sharpness", &Calibration::sharpness)
      .def_readonly("spearman", &Calibration::spearman);
  module.def("calibration",
             [](const Potential& potential, const std::vector<Frame>& frames) { return calibration(CommitteeErrors(potential, frames)); },
             py::arg("potential"), py::arg("frames"), Release());
  module.def("evaluate_errors",
             [](const Potential& potential, const std::vector<Frame>& frames) { return evaluate_errors(potential, frames); },
             py::arg("potential"), py::arg("frames"), Release());
}

}  // namespace tamiz::python
