#include "tamiz/screening/select/select.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/parallel.hpp"
#include "tamiz/core/structure/symmetry.hpp"
#include "tamiz/screening/oracle/relative_cost.hpp"
#include "tamiz/screening/properties/crystal_features.hpp"

namespace tamiz {
namespace {

constexpr std::size_t k_at_once = 64;
constexpr Eigen::Index k_block = 256;  // rows of a product of matrices
constexpr double k_same = 1e-4;  // of the spread of features: float32 descriptors of one crystal in two cells differ by less

/// What one evaluation says of the structures that are chosen from.
struct Pool {
  Eigen::VectorXd sigma;  // [eV/atom]
  PointRows features;

  Pool(const Potential& potential, std::span<const Structure> structures)
      : sigma(std::ssize(structures)), features(std::ssize(structures), 2 * potential.capabilities().n_descriptors) {
    for (std::size_t begin = 0; begin < structures.size(); begin += k_at_once) {
      const auto some = structures.subspan(begin, std::min(k_at_once, structures.size() - begin));
      const Prediction p = evaluate(potential, some, {.forces = false, .members = true, .descriptors = true});
      const Eigen::VectorXd deviations = energy_deviations(p);
      const auto first = static_cast<Eigen::Index>(begin);
      for (Eigen::Index k = 0; k < deviations.size(); ++k)
        sigma[first + k] = deviations[k] / static_cast<double>(some[static_cast<std::size_t>(k)].size());
      features.middleRows(first, deviations.size()) = crystal_features(p, some);
    }
  }
};

/// Symmetry as DFT will see it; none where spglib finds none, in torn cells.
int space_group_number(const Structure& structure) {
  constexpr double tolerance = 1e-4;  // [Å]
  try {
    return structure.periodicity() == k_periodic ? space_group(structure, tolerance).number : 1;
  } catch (const NumericsError&) {
    return 1;
  }
}

double cost_of(const Structure& structure) { return relative_cost(structure, space_group_number(structure)); }

/// Distances to the nearest of what is chosen or known.
class Nearest {
 public:
  explicit Nearest(PointRows points)
      : points_(std::move(points)), squares_(Eigen::VectorXd::Constant(points_.rows(), std::numeric_limits<double>::infinity())) {}
  void add(Eigen::Index of_points) {
    const Eigen::RowVectorXd point = points_.row(of_points);
    squares_ = squares_.cwiseMin((points_.rowwise() - point).rowwise().squaredNorm());
  }
  /// Many at once, as products of matrices: |a − b|² = |a|² + |b|² − 2 a·b, whose rounding is far below k_same².
  void add_all(const PointRows& others, int threads) {
    const Eigen::VectorXd lengths = others.rowwise().squaredNorm();
    const auto n_blocks = static_cast<std::size_t>((points_.rows() + k_block - 1) / k_block);
    parallel_for(n_blocks, threads, [&](std::size_t block) {
      const Eigen::Index first = static_cast<Eigen::Index>(block) * k_block, n = std::min(k_block, points_.rows() - first);
      const auto here = points_.middleRows(first, n);
      Eigen::VectorXd nearest = Eigen::VectorXd::Constant(n, std::numeric_limits<double>::infinity());
      for (Eigen::Index begin = 0; begin < others.rows(); begin += k_block) {
        const Eigen::Index m = std::min(k_block, others.rows() - begin);
        Eigen::MatrixXd apart = -2.0 * here * others.middleRows(begin, m).transpose();
        apart.rowwise() += lengths.segment(begin, m).transpose();
        nearest = nearest.cwiseMin(apart.rowwise().minCoeff());
      }
      const Eigen::VectorXd squares = (nearest + here.rowwise().squaredNorm()).cwiseMax(0.0);
      squares_.segment(first, n) = squares_.segment(first, n).cwiseMin(squares);
    });
  }
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
  const PointRows of_known = crystal_features(potential, known);
  const auto [sigma, features] = Pool(potential, structures);
  PointRows all(features.rows() + of_known.rows(), features.cols());
  all << features, of_known;
  const FeatureScale scale(all);
  Nearest nearest(scale.apply(features));
  nearest.add_all(scale.apply(of_known), potential.threads());

  Eigen::VectorXd worth = sigma;
  if (options.per_cost)
    for (Eigen::Index k = 0; k < worth.size(); ++k) worth[k] /= cost_of(structures[static_cast<std::size_t>(k)]);
  std::vector<Selected> chosen;
  while (static_cast<int>(chosen.size()) < options.n) {
    Eigen::Index best = -1;
    double score = 0.0;
    for (Eigen::Index k = 0; k < sigma.size(); ++k) {
      if (sigma[k] < options.min_sigma || sigma[k] > options.max_sigma || nearest[k] <= k_same) continue;
      const double distance = std::min(nearest[k], std::numeric_limits<double>::max());
      if (best >= 0 && worth[k] * distance <= score) continue;
      best = k;
      score = worth[k] * distance;
    }
    if (best < 0) break;
    const auto index = static_cast<std::size_t>(best);
    chosen.push_back({.index = index, .sigma = sigma[best], .distance = nearest[best], .cost = cost_of(structures[index])});
    nearest.add(best);
  }
  return chosen;
}

}  // namespace tamiz
