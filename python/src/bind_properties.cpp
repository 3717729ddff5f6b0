#include <pybind11/eigen.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/python/src/bind.hpp"
#include "tamiz/screening/properties/crystal_features.hpp"
#include "tamiz/screening/properties/gap_errors.hpp"

namespace tamiz::python {
namespace {

using Release = py::call_guard<py::gil_scoped_release>;
using PlainGaps = std::vector<std::optional<double>>;

std::vector<GapSample> samples_of(const PointRows& features, const std::vector<std::string>& groups, const std::vector<double>& gaps,
                                  const PlainGaps& plain_gaps) {
  std::vector<GapSample> samples(gaps.size());
  for (std::size_t k = 0; k < gaps.size(); ++k) {
    samples[k].features = features.row(static_cast<Eigen::Index>(k));
    samples[k].group = groups[k];
    samples[k].gap = gaps[k];
    samples[k].plain_gap = plain_gaps[k];
  }
  return samples;
}

PointRows predict(const GapModel& model, const PointRows& features, const PlainGaps& plain_gaps) {
  PointRows rows(features.rows(), 3);
  for (Eigen::Index k = 0; k < features.rows(); ++k) {
    const GapPrediction gap = model.predict(features.row(k), plain_gaps[static_cast<std::size_t>(k)]);
    rows.row(k) << gap.probability, gap.gap, gap.sigma;
  }
  return rows;
}

}  // namespace

void bind_properties(py::module_& module) {
  py::class_<GapErrors>(module, "GapErrors")
      .def_readonly("n", &GapErrors::n)
      .def_readonly("right", &GapErrors::right)
      .def_readonly("commoner", &GapErrors::commoner)
      .def_readonly("log_loss", &GapErrors::log_loss)
      .def_readonly("n_gaps", &GapErrors::n_gaps)
      .def_readonly("mae", &GapErrors::mae)
      .def_readonly("mae_of_mean", &GapErrors::mae_of_mean)
      .def_readonly("within_sigma", &GapErrors::within_sigma)
      .def_readonly("n_plain", &GapErrors::n_plain)
      .def_readonly("mae_with_plain", &GapErrors::mae_with_plain)
      .def_readonly("mae_of_scaled", &GapErrors::mae_of_scaled);
  py::class_<GapModel>(module, "GapModel")
      .def(py::init([](const PointRows& features, const std::vector<std::string>& groups, const std::vector<double>& gaps,
                       const PlainGaps& plain_gaps, std::string potential, std::string level) {
             return GapModel(samples_of(features, groups, gaps, plain_gaps), std::move(potential), std::move(level));
           }),
           Release())
      .def_static("load", &GapModel::load, Release())
      .def("save", &GapModel::save, Release())
      .def("predict", &predict, Release())
      .def("__len__", [](const GapModel& model) { return model.samples().size(); })
      .def_property_readonly("potential", &GapModel::potential)
      .def_property_readonly("level", &GapModel::level)
      .def_property_readonly("knows_plain_gaps", &GapModel::knows_plain_gaps);
  py::class_<GaussianProcess>(module, "GaussianProcess")
      .def(py::init<PointRows, PointRows, Eigen::VectorXd>(), Release())
      .def("predict", [](const GaussianProcess& process, const PointRows& points, const PointRows& trends) {
        Posterior posterior = process.predict(points, trends);
        return std::pair(std::move(posterior.mean), std::move(posterior.variance));
      }, Release());
  module.def("potential_hash", &potential_hash);
  module.def("crystal_features", [](const Potential& potential, const std::vector<Structure>& structures) {
    return crystal_features(potential, structures);
  }, Release());
  module.def("scaled_features", [](const PointRows& rows, const PointRows& by) { return FeatureScale(by).apply(rows); }, Release());
  module.def("cross_validated_gaps", [](const PointRows& features, const std::vector<std::string>& groups,
                                        const std::vector<double>& gaps, const PlainGaps& plain_gaps, int folds) {
    return cross_validated(samples_of(features, groups, gaps, plain_gaps), folds);
  }, Release());
}

}  // namespace tamiz::python
