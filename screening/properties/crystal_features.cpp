#include "tamiz/screening/properties/crystal_features.hpp"

#include <algorithm>
#include <cmath>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/hash.hpp"

namespace tamiz {
namespace {

constexpr std::size_t k_at_once = 64;  // structures evaluated together: their atoms' descriptors are held for them only
constexpr double k_least_width = 1e-9;

}  // namespace

PointRows crystal_features(const Prediction& prediction, std::span<const Structure> structures) {
  PointRows features(static_cast<Eigen::Index>(structures.size()), 2 * prediction.descriptors.cols());
  Eigen::Index atom = 0;
  for (std::size_t k = 0; k < structures.size(); ++k) {
    const auto n = static_cast<Eigen::Index>(structures[k].size());
    const auto rows = prediction.descriptors.middleRows(atom, n);
    const Eigen::RowVectorXd mean = rows.colwise().mean();
    const Eigen::RowVectorXd spread = (rows.rowwise() - mean).colwise().squaredNorm() / static_cast<double>(n);
    features.row(static_cast<Eigen::Index>(k)) << mean, spread.cwiseSqrt();
    atom += n;
  }
  return features;
}

PointRows crystal_features(const Potential& potential, std::span<const Structure> structures) {
  const Eigen::Index width = potential.capabilities().n_descriptors;
  if (width == 0) throw CapabilityError(potential.name() + " offers no descriptors: use a model that `tamiz train` made");
  PointRows features(static_cast<Eigen::Index>(structures.size()), 2 * width);
  for (std::size_t begin = 0; begin < structures.size(); begin += k_at_once) {
    const auto some = structures.subspan(begin, std::min(k_at_once, structures.size() - begin));
    const Prediction p = evaluate(potential, some, {.forces = false, .descriptors = true});
    features.middleRows(static_cast<Eigen::Index>(begin), static_cast<Eigen::Index>(some.size())) = crystal_features(p, some);
  }
  return features;
}

FeatureScale::FeatureScale(const PointRows& rows) : center_(rows.colwise().mean()) {
  const Eigen::RowVectorXd width =
      ((rows.rowwise() - center_).colwise().squaredNorm() / static_cast<double>(rows.rows())).cwiseSqrt();
  const Eigen::RowVectorXd inverse = (width.array() > k_least_width).select(width.array().inverse(), 0.0);
  factor_ = inverse / std::sqrt(static_cast<double>(rows.cols()));
}

PointRows FeatureScale::apply(const PointRows& rows) const {
  if (rows.cols() != center_.size())
    throw ShapeError("expected " + std::to_string(center_.size()) + " features of a crystal, got " + std::to_string(rows.cols()) +
                     ": they are of another potential");
  return (rows.rowwise() - center_) * factor_.asDiagonal();
}

std::string potential_hash(const std::filesystem::path& model) { return hash_hex(read_file(model)); }

}  // namespace tamiz
