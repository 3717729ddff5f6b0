#include "tamiz/screening/campaign/start_curvature.hpp"

#include "tamiz/core/analysis/curvature.hpp"
#include "tamiz/core/base/error.hpp"

namespace tamiz {
namespace {

constexpr std::size_t k_most_atoms = 100;  // a line of a million numbers is a burden of its own

}  // namespace

std::function<void(LabelRequest&)> curvature_by(std::shared_ptr<const Potential> model) {
  if (!model) return {};
  return [model = std::move(model)](LabelRequest& request) {
    const Structure& crystal = request.structure;
    if (request.task != LabelTask::relax || !crystal.is_periodic() || crystal.size() > k_most_atoms) return;
    try {
      const Eigen::MatrixXd found = curvature(*model, crystal);
      if (found.allFinite()) request.curvature = found;
    } catch (const Error&) {
      // The relaxation begins as it would without a model.
    }
  };
}

}  // namespace tamiz
