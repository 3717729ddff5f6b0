#include "tamiz/screening/select/select.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tamiz/core/base/error.hpp"
#include "tamiz/screening/properties/crystal_features.hpp"

namespace tamiz {
namespace {

constexpr std::size_t k_at_once = 64;
constexpr double k_same = 1e-4;  // of the spread of features: float32 descriptors of one crystal in two cells differ by less

/// Standard deviation over the committee of each structure's energy [eV/atom].
Eigen::VectorXd doubts(const Potential& potential, std::span<const Structure> structures) {
  Eigen::VectorXd sigma(static_cast<Eigen::Index>(structures.size()));
  for (std::size_t begin = 0; begin < structures.size(); begin += k_at_once) {
    const auto some = structures.subspan(begin, std::min(k_at_once, structures.size() - begin));
    const Eigen::MatrixXd members = evaluate(potential, some, {.forces = false, .members = true}).member_energies;
    for (std::size_t k = 0; k < some.size(); ++k) {
      const Eigen::RowVectorXd row = members.row(static_cast<Eigen::Index>(k));
      const double variance = (row.array() - row.mean()).square().sum() / static_cast<double>(row.size() - 1);
      sigma[static_cast<Eigen::Index>(begin + k)] = std::sqrt(variance) / static_cast<double>(some[k].size());
    }
  }
  return sigma;
}

/// Columns divided by their spread over `all`, and by the root of their number.
PointRows scaled(const PointRows& rows, const PointRows& all) {
  const Eigen::RowVectorXd mean = all.colwise().mean();
  const Eigen::RowVectorXd width = ((all.rowwise() - mean).colwise().squaredNorm() / static_cast<double>(all.rows())).cwiseSqrt();
  const Eigen::RowVectorXd factor = (width.array() > 1e-9).select(width.array().inverse(), 0.0);
  return (rows.rowwise() - mean) * factor.asDiagonal() / std::sqrt(static_cast<double>(all.cols()));
}

/// Distances to the nearest of what is chosen or known.
class Nearest {
 public:
  explicit Nearest(PointRows points)
      : points_(std::move(points)), squares_(Eigen::VectorXd::Constant(points_.rows(), std::numeric_limits<double>::infinity())) {}
  void add(const Eigen::RowVectorXd& point) { squares_ = squares_.cwiseMin((points_.rowwise() - point).rowwise().squaredNorm()); }
  void add(Eigen::Index of_points) { add(Eigen::RowVectorXd(points_.row(of_points))); }
  double operator[](Eigen::Index k) const { return std::sqrt(squares_[k]); }

 private:
  PointRows points_;
  Eigen::VectorXd squares_;
};

}  // namespace

std::vector<Selected> select(const Potential& potential, std::span<const Structure> structures, std::span<const Structure> known,
                             const SelectOptions& options) {
  if (potential.capabilities().n_members < 2)
    throw CapabilityError(potential.name() + " has no committee and so no uncertainty to select by: train with n_members of 2 or more and five validation frames or more");
  if (structures.empty()) return {};
  const Eigen::VectorXd sigma = doubts(potential, structures);
  const PointRows features = crystal_features(potential, structures), of_known = crystal_features(potential, known);
  PointRows all(features.rows() + of_known.rows(), features.cols());
  all << features, of_known;
  Nearest nearest(scaled(features, all));
  const PointRows known_points = scaled(of_known, all);
  for (Eigen::Index k = 0; k < known_points.rows(); ++k) nearest.add(Eigen::RowVectorXd(known_points.row(k)));

  std::vector<Selected> chosen;
  while (static_cast<int>(chosen.size()) < options.n) {
    Eigen::Index best = -1;
    double score = 0.0;
    for (Eigen::Index k = 0; k < sigma.size(); ++k) {
      if (sigma[k] < options.min_sigma || sigma[k] > options.max_sigma || nearest[k] <= k_same) continue;
      const double distance = std::min(nearest[k], std::numeric_limits<double>::max());
      if (best >= 0 && sigma[k] * distance <= score) continue;
      best = k;
      score = sigma[k] * distance;
    }
    if (best < 0) break;
    chosen.push_back({.index = static_cast<std::size_t>(best), .sigma = sigma[best], .distance = nearest[best]});
    nearest.add(best);
  }
  return chosen;
}

}  // namespace tamiz
