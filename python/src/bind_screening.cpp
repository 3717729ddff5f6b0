#include <pybind11/numpy.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <nlohmann/json.hpp>
#include <optional>

#include "tamiz/core/base/text.hpp"
#include "tamiz/python/src/bind.hpp"
#include "tamiz/screening/campaign/campaign.hpp"
#include "tamiz/screening/campaign/decide.hpp"
#include "tamiz/screening/campaign/label_run.hpp"
#include "tamiz/screening/campaign/start_curvature.hpp"
#include "tamiz/screening/oracle/make_oracle.hpp"
#include "tamiz/screening/oracle/relative_cost.hpp"
#include "tamiz/screening/precursors/molecular_formats.hpp"
#include "tamiz/screening/propose/options.hpp"
#include "tamiz/screening/select/select.hpp"

namespace tamiz::python {
namespace {

namespace fs = std::filesystem;
using Release = py::call_guard<py::gil_scoped_release>;

/// True when the campaign came to its end.
bool run_campaign(const fs::path& config, const fs::path& folder, bool resume) {
  Campaign campaign(CampaignConfig::read(config), folder, resume);
  Stop stop;
  const Campaign::End end = campaign.run([&] { return stop(); });
  stop.raise_if_stopped();
  return end == Campaign::End::finished;
}

std::vector<std::string> ledger_records(const fs::path& path) {
  std::vector<std::string> records;
  for (const nlohmann::json& record : Ledger::read(path)) records.push_back(record.dump());
  return records;
}

LabelRun label_frames(const std::vector<std::pair<std::string, Frame>>& frames, const std::string& oracle_name,
                      const std::string& task, const std::string& level, double timeout, int workers,
                      const fs::path& ledger_path, const fs::path& scratch, bool retry_failed, const Potential* model) {
  const std::string settings = level.empty() ? "{}" : read_level(level);
  std::vector<LabelRequest> requests;
  for (const auto& [id, frame] : frames) requests.push_back(request_for(frame, id, label_task_from(task), level_name(level), settings, timeout));
  Ledger ledger(ledger_path);
  const auto oracle = make_oracle(oracle_name, workers, scratch);
  require_version(*oracle, settings);
  const std::shared_ptr<const Potential> borrowed(std::shared_ptr<void>(), model);
  Stop stop;
  LabelRun run = run_labels(*oracle, ledger, requests, retry_failed, [&] { return stop(); }, curvature_by(borrowed));
  stop.raise_if_stopped();
  return run;
}

void bind_proposal(py::module_& module) {
  py::class_<Candidate>(module, "Candidate")
      .def_readonly("id", &Candidate::id)
      .def_property_readonly("structure", [](const Candidate& c) { return c.structure; })
      .def_readonly("origin", &Candidate::origin)
      .def_readonly("prototype", &Candidate::prototype)
      .def_readonly("decoration", &Candidate::decoration)
      .def_readonly("oxidation", &Candidate::oxidation)
      .def("__repr__", [](const Candidate& c) {
        return "Candidate(" + c.id + ", " + c.structure.composition().formula() + ", " + c.prototype + ")"; });
  py::class_<Rejection>(module, "Rejection")
      .def_readonly("what", &Rejection::what)
      .def_readonly("reason", &Rejection::reason)
      .def("__repr__", [](const Rejection& r) { return "Rejection(" + r.what + ": " + r.reason + ")"; });
  py::class_<Proposal>(module, "Proposal")
      .def_readonly("candidates", &Proposal::candidates)
      .def_readonly("rejections", &Proposal::rejections);
  module.def("probability_below", py::vectorize(&probability_below));
  module.def("relative_cost", &relative_cost);
  module.def("propose", [](const fs::path& campaign) { return propose(propose_options_from_toml(campaign)); },
             py::arg("campaign"), Release());
  module.def("prototype_names", &prototype_names, Release());
}

void bind_selection(py::module_& module) {
  py::class_<Selected>(module, "Selected")
      .def_readonly("index", &Selected::index)
      .def_readonly("sigma", &Selected::sigma)
      .def_readonly("distance", &Selected::distance)
      .def_readonly("cost", &Selected::cost)
      .def("__repr__", [](const Selected& s) {
        return "Selected(" + std::to_string(s.index) + ", sigma " + format_double(s.sigma) + " eV/atom)"; });
  module.def("select", [](const Potential& potential, const std::vector<Structure>& structures, const std::vector<Structure>& known, int n,
                          double min_sigma, double max_sigma, bool per_cost) {
    return select(potential, structures, known, {.n = n, .min_sigma = min_sigma, .max_sigma = max_sigma, .per_cost = per_cost});
  }, Release());
}

void bind_labels(py::module_& module) {
  py::class_<LabelResult>(module, "LabelResult")
      .def_readonly("id", &LabelResult::id)
      .def_property_readonly("status", [](const LabelResult& r) { return std::string(to_string(r.status)); })
      .def_readonly("reason", &LabelResult::reason)
      .def_readonly("frame", &LabelResult::frame)
      .def_readonly("trajectory", &LabelResult::trajectory)
      .def_readonly("properties_json", &LabelResult::properties)
      .def_readonly("cost", &LabelResult::cost)
      .def_readonly("cached", &LabelResult::cached)
      .def("__repr__", [](const LabelResult& r) {
        return "LabelResult(" + r.id + ", " + std::string(to_string(r.status)) + ")"; });
  py::class_<LabelRun>(module, "LabelRun")
      .def_readonly("results", &LabelRun::results)
      .def_readonly("cost", &LabelRun::cost)
      .def_readonly("n_calculated", &LabelRun::n_calculated)
      .def_readonly("complete", &LabelRun::complete);
  module.def("label", &label_frames, py::arg("frames"), py::arg("oracle"), py::arg("task"), py::arg("level"),
             py::arg("timeout"), py::arg("workers"), py::arg("ledger"), py::arg("scratch"), py::arg("retry_failed"), py::arg("model"), Release());
}

}  // namespace

void bind_screening(py::module_& module) {
  register_molecular_formats();
  bind_proposal(module);
  bind_selection(module);
  bind_labels(module);
  module.def("run_campaign", &run_campaign, py::arg("config"), py::arg("folder"), py::arg("resume"), Release());
  module.def("campaign_summary", [](const fs::path& folder) { return summarize_run(folder).dump(); }, py::arg("folder"),
             Release());
  module.def("rewrite_report", &rewrite_report, py::arg("folder"), Release());
  module.def("ledger_records", &ledger_records, py::arg("path"), Release());
}

}  // namespace tamiz::python
