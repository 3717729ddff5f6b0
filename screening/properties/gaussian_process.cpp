#include "tamiz/screening/properties/gaussian_process.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <Eigen/QR>
#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tamiz/core/base/error.hpp"
#include "tamiz/screening/properties/grid_search.hpp"

namespace tamiz {
namespace {

using Eigen::MatrixXd;
using Eigen::VectorXd;

constexpr double k_length_range = 20.0;  // times and parts of the median distance
constexpr double k_least_noise = 1e-6, k_most_noise = 10.0;
constexpr int k_grid = 11, k_zooms = 3;
constexpr Eigen::Index k_points_for_widths = 500;  // they say nearly as much of two numbers as thousands, which would take hours

MatrixXd distances(const PointRows& a, const PointRows& b) {
  MatrixXd squares = -2.0 * a * b.transpose();
  squares.colwise() += a.rowwise().squaredNorm();
  squares.rowwise() += b.rowwise().squaredNorm().transpose();
  return squares.cwiseMax(0.0).cwiseSqrt();
}

/// Matérn's correlation with ν = 5/2.
MatrixXd correlations(const MatrixXd& distances, double length) {
  const Eigen::ArrayXXd r = std::sqrt(5.0) / length * distances.array();
  return ((1.0 + r + r.square() / 3.0) * (-r).exp()).matrix();
}

double median_distance(const MatrixXd& distances) {
  std::vector<double> pairs;
  for (Eigen::Index i = 0; i < distances.rows(); ++i)
    for (Eigen::Index j = 0; j < i; ++j)
      if (distances(i, j) > 0.0) pairs.push_back(distances(i, j));
  if (pairs.empty()) return 1.0;  // all points are one: no length matters
  const auto middle = pairs.begin() + static_cast<std::ptrdiff_t>(pairs.size() / 2);
  std::nth_element(pairs.begin(), middle, pairs.end());
  return *middle;
}

/// Restricted likelihood of λ at one ℓ: R = U Λ Uᵀ is taken apart once, and every λ costs O(n) then.
class Likelihood {
 public:
  Likelihood(const MatrixXd& correlation, const PointRows& trends, const VectorXd& targets) {
    const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(correlation);
    eigenvalues_ = solver.eigenvalues().cwiseMax(0.0);
    trends_ = solver.eigenvectors().transpose() * trends;
    targets_ = solver.eigenvectors().transpose() * targets;
  }

  double log_value(double noise) const {
    const VectorXd inverse = (eigenvalues_.array() + noise).inverse();
    const MatrixXd weighted = inverse.asDiagonal() * trends_;
    const Eigen::LDLT<MatrixXd> normal(trends_.transpose() * weighted);
    const VectorXd rest = targets_ - trends_ * normal.solve(weighted.transpose() * targets_);
    const double freedom = static_cast<double>(targets_.size() - trends_.cols());
    const double scale = rest.dot(inverse.cwiseProduct(rest)) / freedom;
    return -0.5 * (freedom * std::log(scale) - inverse.array().log().sum() + normal.vectorD().array().log().sum());
  }

 private:
  VectorXd eigenvalues_;
  MatrixXd trends_;
  VectorXd targets_;
};

/// Rows 0 to n − 1, or so many of them.
std::vector<Eigen::Index> evenly_spaced(Eigen::Index n, Eigen::Index most) {
  std::vector<Eigen::Index> rows(static_cast<std::size_t>(std::min(n, most)));
  for (std::size_t k = 0; k < rows.size(); ++k) rows[k] = static_cast<Eigen::Index>(k) * n / std::ssize(rows);
  return rows;
}

GaussianProcess::Widths likeliest_widths(const PointRows& points, const PointRows& trends, const VectorXd& targets) {
  const MatrixXd pairs = distances(points, points);
  const double middle = std::log(median_distance(pairs)), reach = std::log(k_length_range);
  std::optional<Likelihood> likelihood;
  double of_length = 0.0;
  const auto cost = [&](double log_length, double log_noise) {
    if (!likelihood || log_length != of_length) {
      likelihood.emplace(correlations(pairs, std::exp(log_length)), trends, targets);
      of_length = log_length;
    }
    return -likelihood->log_value(std::exp(log_noise));
  };
  const Rectangle range{{middle - reach, std::log(k_least_noise)}, {middle + reach, std::log(k_most_noise)}};
  const Eigen::Array2d best = smallest_on_grid(cost, range, k_grid, k_zooms).exp();
  return {.length = best[0], .noise = best[1]};
}

void check_data(const PointRows& points, const PointRows& trends, const VectorXd& targets) {
  if (points.rows() != targets.size() || trends.rows() != targets.size())
    throw ShapeError("expected as many points and trends as targets, got " + std::to_string(points.rows()) + ", " +
                     std::to_string(trends.rows()) + " and " + std::to_string(targets.size()));
  if (targets.size() < trends.cols() + 2)
    throw ShapeError("expected at least " + std::to_string(trends.cols() + 2) + " targets for " +
                     std::to_string(trends.cols()) + " trends, got " + std::to_string(targets.size()));
  if (!points.allFinite() || !trends.allFinite() || !targets.allFinite())
    throw NumericsError("points, trends or targets are not finite");
  if (Eigen::ColPivHouseholderQR<MatrixXd>(trends).rank() < trends.cols())
    throw NumericsError("one of the trends follows from the others over these points");
}

}  // namespace

GaussianProcess::GaussianProcess(PointRows points, PointRows trends, VectorXd targets, Widths widths)
    : points_(std::move(points)), trends_(std::move(trends)), targets_(std::move(targets)), widths_(widths) {
  check_data(points_, trends_, targets_);
  solve();
}

GaussianProcess::GaussianProcess(PointRows points, PointRows trends, VectorXd targets)
    : points_(std::move(points)), trends_(std::move(trends)), targets_(std::move(targets)) {
  check_data(points_, trends_, targets_);
  const auto rows = evenly_spaced(targets_.size(), k_points_for_widths);
  widths_ = likeliest_widths(points_(rows, Eigen::all), trends_(rows, Eigen::all), targets_(rows));
  solve();
}

void GaussianProcess::solve() {
  const Eigen::Index n = targets_.size();
  MatrixXd covariance = correlations(distances(points_, points_), widths_.length);
  covariance.diagonal().array() += widths_.noise;
  const Eigen::LLT<MatrixXd> factor(covariance);
  if (factor.info() != Eigen::Success)
    throw NumericsError("the covariance of the points is not positive: " + std::to_string(n) + " points, noise " +
                        std::to_string(widths_.noise));
  inverse_ = factor.solve(MatrixXd::Identity(n, n));
  whitened_ = factor.solve(MatrixXd(trends_));
  const Eigen::LLT<MatrixXd> normal(trends_.transpose() * whitened_);
  trend_inverse_ = normal.solve(MatrixXd::Identity(trends_.cols(), trends_.cols()));
  trend_weights_ = trend_inverse_ * (whitened_.transpose() * targets_);
  const VectorXd rest = targets_ - trends_ * trend_weights_;
  weights_ = factor.solve(rest);
  const double freedom = static_cast<double>(n - trends_.cols());
  scale_ = rest.dot(weights_) / freedom;
  const double log_determinants = 2.0 * factor.matrixLLT().diagonal().array().log().sum() +
                                  2.0 * normal.matrixLLT().diagonal().array().log().sum();
  log_likelihood_ = -0.5 * (freedom * std::log(scale_) + log_determinants);
}

Posterior GaussianProcess::predict(const PointRows& points, const PointRows& trends) const {
  if (points.cols() != points_.cols() || trends.cols() != trends_.cols() || points.rows() != trends.rows())
    throw ShapeError("expected points of " + std::to_string(points_.cols()) + " columns with trends of " +
                     std::to_string(trends_.cols()) + ", got " + std::to_string(points.cols()) + " and " +
                     std::to_string(trends.cols()));
  const MatrixXd k = correlations(distances(points, points_), widths_.length);
  const MatrixXd drift = trends - k * whitened_;  // what the trends leave open
  Posterior posterior;
  posterior.mean = trends * trend_weights_ + k * weights_;
  const VectorXd known = (k * inverse_).cwiseProduct(k).rowwise().sum();
  const VectorXd open = (drift * trend_inverse_).cwiseProduct(drift).rowwise().sum();
  posterior.variance = scale_ * ((1.0 + widths_.noise - known.array()).max(widths_.noise) + open.array()).matrix();
  return posterior;
}

Posterior GaussianProcess::leave_out(std::span<const std::string> groups) const {
  if (static_cast<Eigen::Index>(groups.size()) != targets_.size())
    throw ShapeError("expected a group for each of " + std::to_string(targets_.size()) + " targets, got " + std::to_string(groups.size()));
  std::map<std::string, std::vector<Eigen::Index>> members;
  for (std::size_t k = 0; k < groups.size(); ++k) members[groups[k]].push_back(static_cast<Eigen::Index>(k));
  const MatrixXd projected = inverse_ - whitened_ * trend_inverse_ * whitened_.transpose();
  const VectorXd pulls = projected * targets_;
  Posterior posterior{.mean = VectorXd(targets_.size()), .variance = VectorXd(targets_.size())};
  for (const auto& [name, rows] : members) {
    const MatrixXd covariance = MatrixXd(projected(rows, rows)).ldlt().solve(MatrixXd::Identity(std::ssize(rows), std::ssize(rows)));
    posterior.mean(rows) = targets_(rows) - covariance * pulls(rows);
    posterior.variance(rows) = scale_ * covariance.diagonal();
  }
  return posterior;
}

}  // namespace tamiz
