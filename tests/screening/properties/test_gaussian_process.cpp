#include <gtest/gtest.h>

#include <Eigen/LU>
#include <cmath>
#include <vector>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/philox.hpp"
#include "tamiz/screening/properties/gaussian_process.hpp"
#include "tamiz/screening/properties/grid_search.hpp"

using namespace tamiz;
using Eigen::MatrixXd;
using Eigen::VectorXd;

namespace {

PointRows random_points(std::uint64_t seed, Eigen::Index n, Eigen::Index width) {
  Philox random(seed, 0, 0, 0);
  PointRows points(n, width);
  for (double& value : points.reshaped()) value = random.uniform();
  return points;
}

double matern(double distance, double length) {
  const double r = std::sqrt(5.0) * distance / length;
  return (1.0 + r + r * r / 3.0) * std::exp(-r);
}

MatrixXd covariance(const PointRows& points, GaussianProcess::Widths widths) {
  MatrixXd k(points.rows(), points.rows());
  for (Eigen::Index i = 0; i < k.rows(); ++i)
    for (Eigen::Index j = 0; j < k.cols(); ++j)
      k(i, j) = matern((points.row(i) - points.row(j)).norm(), widths.length) + (i == j ? widths.noise : 0.0);
  return k;
}

/// Values of a smooth function with a linear trend, of points in a square.
struct Example {
  PointRows points = random_points(5, 40, 2);
  PointRows trends = PointRows::Ones(40, 2);
  VectorXd targets = VectorXd(40);

  Example() {
    for (Eigen::Index k = 0; k < 40; ++k) {
      trends(k, 1) = points(k, 0) * points(k, 1);
      targets[k] = value(points.row(k));
    }
  }
  static double value(const Eigen::RowVectorXd& x) { return 3.0 + 2.0 * x[0] * x[1] + std::sin(4.0 * x[0]) * std::cos(3.0 * x[1]); }
};

TEST(GaussianProcess, predictions_are_those_of_the_joint_normal_distribution) {
  // With an all but flat prior of the trends' weights, universal kriging is conditioning of one large normal distribution.
  const Example e;
  const GaussianProcess::Widths widths{.length = 0.7, .noise = 0.01};
  const GaussianProcess process(e.points, e.trends, e.targets, widths);
  using Long = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;  // differences of flat variances need its digits
  const long double flat = 1e5L;
  const Long trends = e.trends.cast<long double>(), targets = e.targets.cast<long double>();
  const Long proper = covariance(e.points, widths).cast<long double>();
  const Long inverse = (proper + flat * trends * trends.transpose()).inverse();
  const Eigen::RowVector2d x(0.3, 0.8), trend(1.0, 0.24);
  Long k(40, 1);
  for (Eigen::Index i = 0; i < 40; ++i)
    k(i, 0) = matern((x - e.points.row(i)).norm(), widths.length) + flat * static_cast<long double>(trend.dot(e.trends.row(i)));

  const Posterior found = process.predict(x, trend);

  const Long normal = trends.transpose() * proper.inverse() * trends;
  const Long rest = targets - trends * normal.inverse() * (trends.transpose() * proper.inverse() * targets);
  const double scale = static_cast<double>((rest.transpose() * proper.inverse() * rest)(0, 0)) / 38.0;
  const double variance = static_cast<double>(1.0L + widths.noise + flat * trend.squaredNorm() - (k.transpose() * inverse * k)(0, 0));
  EXPECT_NEAR(found.mean[0], static_cast<double>((k.transpose() * inverse * targets)(0, 0)), 1e-4);
  EXPECT_NEAR(found.variance[0], scale * variance, 1e-4 * scale);
}

TEST(GaussianProcess, leaving_out_is_fitting_to_the_others) {
  const Example e;
  const GaussianProcess::Widths widths{.length = 0.7, .noise = 0.01};
  const GaussianProcess process(e.points, e.trends, e.targets, widths);
  std::vector<std::string> groups;
  for (int k = 0; k < 40; ++k) groups.push_back(std::to_string(k % 17));
  const Posterior left_out = process.leave_out(groups);
  const auto scale_of = [](const GaussianProcess& any) {  // s² (1 + λ), of a point that nothing is known of
    return any.predict(PointRows::Constant(1, 2, 1e6), PointRows(PointRows::Zero(1, 2))).variance[0];
  };

  for (const std::string group : {"0", "5", "9"}) {  // of three points, three and two
    std::vector<Eigen::Index> in, out;
    for (Eigen::Index k = 0; k < 40; ++k) (groups[static_cast<std::size_t>(k)] == group ? out : in).push_back(k);
    const GaussianProcess others(e.points(in, Eigen::all), e.trends(in, Eigen::all), e.targets(in), widths);
    const Posterior expected = others.predict(e.points(out, Eigen::all), e.trends(out, Eigen::all));

    EXPECT_LT((left_out.mean(out) - expected.mean).norm(), 1e-9);
    // s² is that of all here, of the others there.
    EXPECT_LT((left_out.variance(out) / scale_of(process) - expected.variance / scale_of(others)).norm(), 1e-9);
  }
  EXPECT_THROW(process.leave_out(std::span(groups).first(39)), ShapeError);
}

TEST(GaussianProcess, widths_are_the_likeliest) {
  Example e;
  Philox random(9, 0, 0, 0);
  for (double& target : e.targets) target += 0.1 * random.normal();
  const GaussianProcess process(e.points, e.trends, e.targets);
  const auto [length, noise] = process.widths();

  for (const double factor : {0.7, 0.9, 1.1, 1.4}) {
    EXPECT_LE(GaussianProcess(e.points, e.trends, e.targets, {factor * length, noise}).log_likelihood(), process.log_likelihood() + 1e-3);
    EXPECT_LE(GaussianProcess(e.points, e.trends, e.targets, {length, factor * noise}).log_likelihood(), process.log_likelihood() + 1e-3);
  }
}

TEST(GaussianProcess, of_many_points_some_choose_the_widths_and_all_predict) {
  const PointRows points = random_points(11, 1000, 2);
  VectorXd targets(1000);
  for (Eigen::Index k = 0; k < 1000; ++k) targets[k] = Example::value(points.row(k));
  std::vector<Eigen::Index> every_second(500);
  for (std::size_t k = 0; k < every_second.size(); ++k) every_second[k] = 2 * static_cast<Eigen::Index>(k);
  const PointRows some = points(every_second, Eigen::all);
  const VectorXd some_targets = targets(every_second);

  const GaussianProcess all(points, PointRows::Ones(1000, 1), targets), half(some, PointRows::Ones(500, 1), some_targets);

  EXPECT_EQ(all.widths().length, half.widths().length);
  EXPECT_EQ(all.widths().noise, half.widths().noise);
  const PointRows others = random_points(12, 50, 2);
  double of_all = 0.0, of_half = 0.0;
  for (Eigen::Index k = 0; k < 50; ++k) {
    const PointRows one = others.row(k);
    of_all += std::abs(all.predict(one, PointRows::Ones(1, 1)).mean[0] - Example::value(one));
    of_half += std::abs(half.predict(one, PointRows::Ones(1, 1)).mean[0] - Example::value(one));
  }
  EXPECT_LT(of_all, of_half);
}

TEST(GaussianProcess, a_smooth_function_is_learned_and_its_errors_are_within_sigma) {
  const Example e;
  const GaussianProcess process(e.points, e.trends, e.targets);
  const PointRows points = random_points(6, 200, 2);
  PointRows trends = PointRows::Ones(200, 2);
  for (Eigen::Index k = 0; k < 200; ++k) trends(k, 1) = points(k, 0) * points(k, 1);

  const Posterior found = process.predict(points, trends);

  int within = 0;
  for (Eigen::Index k = 0; k < 200; ++k) {
    const double error = std::abs(found.mean[k] - Example::value(points.row(k)));
    EXPECT_LT(error, 0.2);
    within += error <= 2.0 * std::sqrt(found.variance[k]) ? 1 : 0;
  }
  EXPECT_GE(within, 180);
}

TEST(GaussianProcess, noise_is_told_from_signal) {
  Example e;
  Philox random(9, 0, 0, 0);
  for (double& target : e.targets) target += 0.2 * random.normal();
  const GaussianProcess process(e.points, e.trends, e.targets);

  const double far = process.predict(PointRows::Constant(1, 2, 1e6), PointRows(PointRows::Zero(1, 2))).variance[0];
  const double scale = far / (1.0 + process.widths().noise);

  EXPECT_NEAR(std::sqrt(scale * process.widths().noise), 0.2, 0.08);
}

TEST(GaussianProcess, what_cannot_be_fitted_is_refused) {
  const Example e;
  EXPECT_THROW(GaussianProcess(e.points, e.trends.topRows(39), e.targets), ShapeError);
  EXPECT_THROW(GaussianProcess(e.points.topRows(3), e.trends.topRows(3), e.targets.head(3)), ShapeError);
  EXPECT_THROW(GaussianProcess(e.points, PointRows(PointRows::Ones(40, 2)), e.targets), NumericsError);
  VectorXd broken = e.targets;
  broken[3] = std::nan("");
  EXPECT_THROW(GaussianProcess(e.points, e.trends, broken), NumericsError);
  EXPECT_THROW(GaussianProcess(e.points, e.trends, e.targets).predict(PointRows::Zero(1, 3), PointRows::Zero(1, 2)), ShapeError);
}

TEST(GaussianProcess, points_that_are_all_one_have_their_mean) {
  const VectorXd targets = VectorXd::LinSpaced(10, 0.0, 9.0);
  const GaussianProcess process(PointRows::Zero(10, 3), PointRows::Ones(10, 1), targets);

  EXPECT_NEAR(process.predict(PointRows::Zero(1, 3), PointRows::Ones(1, 1)).mean[0], 4.5, 1e-6);
}

TEST(GridSearch, finds_the_smallest_value_and_stays_inside) {
  const auto bowl = [](double x, double y) { return std::pow(x - 0.3, 2) + 2.0 * std::pow(y + 1.2, 2) + 0.5 * x * y; };
  // Zero gradient: 2(x − 0.3) + y/2 = 0 and 4(y + 1.2) + x/2 = 0.
  const double x = (0.6 + 0.6) / (2.0 - 1.0 / 16.0), y = -1.2 - x / 8.0;

  const Eigen::Array2d found = smallest_on_grid(bowl, {{-3.0, -3.0}, {3.0, 3.0}}, 11, 6);
  const Eigen::Array2d border = smallest_on_grid([](double a, double b) { return a - b; }, {{1.0, 2.0}, {3.0, 5.0}}, 5, 3);

  EXPECT_NEAR(found[0], x, 1e-3);
  EXPECT_NEAR(found[1], y, 1e-3);
  EXPECT_EQ(border[0], 1.0);
  EXPECT_EQ(border[1], 5.0);
}

TEST(GridSearch, passes_over_what_is_not_finite) {
  const auto hole = [](double x, double) { return x < 0.5 ? std::nan("") : x; };
  EXPECT_EQ(smallest_on_grid(hole, {{0.0, 0.0}, {1.0, 1.0}}, 5, 2)[0], 0.5);
  const Eigen::Array2d middle = smallest_on_grid([](double, double) { return std::nan(""); }, {{0.0, 0.0}, {1.0, 2.0}}, 5, 2);
  EXPECT_EQ(middle[1], 1.0);
}

}  // namespace
