#include "tamiz/potentials/engine/mace/read_out.hpp"

#include <algorithm>
#include <string>

#include "tamiz/potentials/engine/mace/activation.hpp"

namespace tamiz::mace {
namespace {

/// members[q] += x·column q of a matrix
template <typename Number>
void add_products(const RowMatrix& matrix, const Number* x, std::span<double> members) {
  for (Eigen::Index k = 0; k < matrix.rows(); ++k)
    for (std::size_t q = 0; q < members.size(); ++q)
      members[q] += static_cast<double>(x[k]) * matrix(k, static_cast<Eigen::Index>(q));
}

}  // namespace

ReadOut::ReadOut(const ModelDescription& d, const ParameterReader& parameters, std::size_t t)
    : activation_norm_(d.activation_norm) {
  const std::string block = "readouts." + std::to_string(t) + ".";
  if (parameters.has(block + "hidden"))
    layers_ = {parameters.matrix(block + "hidden"), parameters.matrix(block + "out")};
  else
    layers_ = {parameters.matrix(block + "linear")};
  for (Eigen::Index k = 0; k < last().rows(); ++k) mean_.push_back(last().row(k).mean());
}

template <typename Real>
double ReadOut::linear(const Real* x, std::span<Real> gradient, std::span<double> members) const {
  double energy = 0.0;
  for (std::size_t k = 0; k < mean_.size(); ++k) energy += static_cast<double>(x[k]) * mean_[k];
  for (std::size_t k = 0; k < std::min(gradient.size(), mean_.size()); ++k) gradient[k] = static_cast<Real>(mean_[k]);
  add_products(last(), x, members);
  return energy;
}

template <typename Real>
double ReadOut::network(const Real* x, std::span<Real> gradient, std::span<double> members,
                        std::vector<double>& hidden) const {
  const RowMatrix& first = layers_.front();
  const auto width = static_cast<std::size_t>(first.cols());
  hidden.assign(2 * width, 0.0);
  for (Eigen::Index k = 0; k < first.rows(); ++k)
    for (std::size_t h = 0; h < width; ++h)
      hidden[h] += static_cast<double>(x[k]) * first(k, static_cast<Eigen::Index>(h));
  double energy = 0.0;
  for (std::size_t h = 0; h < width; ++h) {
    const Activation f = scaled_silu(hidden[h], activation_norm_);
    energy += f.value * mean_[h];
    hidden[h] = f.value;
    hidden[width + h] = f.slope * mean_[h];
  }
  add_products(last(), hidden.data(), members);
  for (std::size_t k = 0; k < std::min(gradient.size(), static_cast<std::size_t>(first.rows())); ++k) {
    double sum = 0.0;
    for (std::size_t h = 0; h < width; ++h)
      sum += hidden[width + h] * first(static_cast<Eigen::Index>(k), static_cast<Eigen::Index>(h));
    gradient[k] = static_cast<Real>(sum);
  }
  return energy;
}

template <typename Real>
double ReadOut::operator()(const Real* x, std::span<Real> gradient, std::span<double> members,
                           std::vector<double>& scratch) const {
  return layers_.size() == 1 ? linear(x, gradient, members) : network(x, gradient, members, scratch);
}

template <typename Real>
void ReadOut::linear_tangent(const Real* x, const Real* x_tangent, std::span<const double> seeds, std::span<Real> d_x,
                             double* gradient) const {
  const std::size_t n = seeds.size();
  const double share = 1.0 / static_cast<double>(n);
  for (std::size_t k = 0; k < mean_.size(); ++k) {
    const double *row = last().data() + k * n, value = static_cast<double>(x[k]),
                 tangent = static_cast<double>(x_tangent[k]);
    double sum = 0.0;
    for (std::size_t q = 0; q < n; ++q) {
      sum += row[q] * seeds[q];
      if (gradient != nullptr) gradient[k * n + q] += tangent * share + value * seeds[q];
    }
    d_x[k] = static_cast<Real>(sum);
  }
}

template <typename Real>
void ReadOut::tangent(const Real* x, const Real* x_tangent, std::span<const double> seeds, std::span<Real> d_x,
                      std::span<double* const> gradients, std::vector<double>& scratch) const {
  if (layers_.size() == 1) return linear_tangent(x, x_tangent, seeds, d_x, gradients.empty() ? nullptr : gradients[0]);
  const RowMatrix& first = layers_.front();
  const auto width = static_cast<std::size_t>(first.cols()), n = seeds.size(),
             rows = static_cast<std::size_t>(first.rows());
  scratch.assign(4 * width, 0.0);
  double *sum = scratch.data(), *sum_tangent = sum + width, *by_sum = sum + 2 * width,
         *by_sum_tangent = sum + 3 * width;
  for (std::size_t k = 0; k < rows; ++k)
    for (std::size_t h = 0; h < width; ++h) {
      sum[h] += static_cast<double>(x[k]) * first.data()[k * width + h];
      sum_tangent[h] += static_cast<double>(x_tangent[k]) * first.data()[k * width + h];
    }
  for (std::size_t h = 0; h < width; ++h) {
    const Activation f = scaled_silu(sum[h], activation_norm_);
    const double tangent = f.slope * sum_tangent[h], share = 1.0 / static_cast<double>(n);
    double seeded = 0.0;
    for (std::size_t q = 0; q < n; ++q) {
      seeded += last().data()[h * n + q] * seeds[q];
      if (!gradients.empty()) gradients[1][h * n + q] += tangent * share + f.value * seeds[q];
    }
    by_sum[h] = mean_[h] * f.slope;
    by_sum_tangent[h] = seeded * f.slope + mean_[h] * f.curvature * sum_tangent[h];
  }
  for (std::size_t k = 0; k < rows; ++k) {
    double total = 0.0;
    for (std::size_t h = 0; h < width; ++h) {
      total += first.data()[k * width + h] * by_sum_tangent[h];
      if (!gradients.empty())
        gradients[0][k * width + h] +=
            static_cast<double>(x_tangent[k]) * by_sum[h] + static_cast<double>(x[k]) * by_sum_tangent[h];
    }
    d_x[k] = static_cast<Real>(total);
  }
}

template double ReadOut::operator()(const float*, std::span<float>, std::span<double>, std::vector<double>&) const;
template double ReadOut::operator()(const double*, std::span<double>, std::span<double>, std::vector<double>&) const;

template void ReadOut::tangent(const float*, const float*, std::span<const double>, std::span<float>,
                               std::span<double* const>, std::vector<double>&) const;
template void ReadOut::tangent(const double*, const double*, std::span<const double>, std::span<double>,
                               std::span<double* const>, std::vector<double>&) const;

}  // namespace tamiz::mace
