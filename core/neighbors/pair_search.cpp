#include "tamiz/core/neighbors/pair_search.hpp"

#include <Eigen/Geometry>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>

#include "tamiz/core/base/error.hpp"

namespace tamiz::detail {
namespace {

/// A cell with volume: vectors along directions that are not periodic are replaced by unit vectors that
/// are orthogonal to the periodic ones, so that fractional coordinates exist.
Mat3 completed(const Mat3& cell, const Periodicity& periodicity) {
  Mat3 full = cell;
  for (int pass = 0; pass < 3; ++pass) {
    for (int k = 0; k < 3; ++k) {
      if (periodicity[static_cast<std::size_t>(k)]) continue;
      const int a = (k + 1) % 3, b = (k + 2) % 3;
      const bool fixed_a = periodicity[static_cast<std::size_t>(a)], fixed_b = periodicity[static_cast<std::size_t>(b)];
      if (fixed_a && fixed_b) full.row(k) = Vec3(full.row(a)).cross(Vec3(full.row(b))).normalized();
      else if (fixed_a) full.row(k) = k == (a + 1) % 3 ? Vec3(full.row(a)).unitOrthogonal()
                                                       : Vec3(Vec3(full.row(a)).unitOrthogonal().cross(Vec3(full.row(a)))).normalized();
      else if (fixed_b) full.row(k) = k == (b + 1) % 3 ? Vec3(full.row(b)).unitOrthogonal()
                                                       : Vec3(Vec3(full.row(b)).unitOrthogonal().cross(Vec3(full.row(b)))).normalized();
      else full.row(k) = Vec3::Unit(k);
    }
  }
  if (std::abs(full.determinant()) < 1e-8) throw NumericsError("a periodic cell needs a volume, got none");
  return full;
}

struct Frame3 {
  Mat3 cell, inverse;   // inverse: fractional = cartesian · inverse
  Vec3 heights;         // between opposite faces [Å]
};

Frame3 frame_of(const Mat3& cell, const Periodicity& periodicity) {
  Frame3 frame;
  frame.cell = completed(cell, periodicity);
  frame.inverse = frame.cell.inverse();
  frame.heights = frame.inverse.colwise().norm().cwiseInverse().transpose();
  return frame;
}

/// Bins of a structure: atoms wrapped into the cell (periodic) or into the bounding box (else), each with
/// the image that brings it there.
class Bins {
 public:
  Bins(const PositionBlock& positions, const Frame3& frame, const Periodicity& periodicity, double radius) {
    const auto n = positions.rows();
    const Coordinates fractional = positions * frame.inverse;
    wrapped_.resize(n, 3);
    images_.resize(static_cast<std::size_t>(n));
    for (int k = 0; k < 3; ++k) {
      const bool periodic = periodicity[static_cast<std::size_t>(k)];
      const double low = periodic ? 0.0 : fractional.col(k).minCoeff();
      const double extent = periodic ? 1.0 : std::max(fractional.col(k).maxCoeff() - low, 1e-9);
      // At most one bin per atom and direction keeps nearly empty boxes cheap.
      const double bins = std::floor(extent * frame.heights[k] / radius);
      counts_[k] = static_cast<int>(std::clamp(bins, 1.0, std::max(1.0, std::min(512.0, static_cast<double>(n)))));
      // How many bins away a neighbour can be; a bin is extent·height/count thick.
      const double reach = std::ceil(radius * counts_[k] / (extent * frame.heights[k]));
      reach_[k] = static_cast<int>(periodic ? reach : std::min(reach, counts_[k] - 1.0));
      for (Eigen::Index a = 0; a < n; ++a) {
        const double image = periodic ? std::floor(fractional(a, k)) : 0.0;
        wrapped_(a, k) = (fractional(a, k) - image - low) / extent;
        images_[static_cast<std::size_t>(a)][static_cast<std::size_t>(k)] = static_cast<std::int32_t>(image);
      }
    }
    sort_atoms(n);
  }

  int count(int k) const { return counts_[k]; }
  int reach(int k) const { return reach_[k]; }
  std::array<int, 3> bin_of(Eigen::Index atom) const {
    std::array<int, 3> bin;
    for (int k = 0; k < 3; ++k)
      bin[static_cast<std::size_t>(k)] = std::clamp(static_cast<int>(wrapped_(atom, k) * counts_[k]), 0, counts_[k] - 1);
    return bin;
  }
  std::span<const std::int32_t> atoms(const std::array<int, 3>& bin) const {
    const std::size_t index = flat(bin);
    return std::span(order_).subspan(first_[index], first_[index + 1] - first_[index]);
  }
  const std::array<std::int32_t, 3>& image(Eigen::Index atom) const { return images_[static_cast<std::size_t>(atom)]; }

 private:
  std::size_t flat(const std::array<int, 3>& bin) const {
    return (static_cast<std::size_t>(bin[0]) * static_cast<std::size_t>(counts_[1]) + static_cast<std::size_t>(bin[1])) *
               static_cast<std::size_t>(counts_[2]) + static_cast<std::size_t>(bin[2]);
  }
  void sort_atoms(Eigen::Index n) {
    first_.assign(static_cast<std::size_t>(counts_[0]) * static_cast<std::size_t>(counts_[1]) * static_cast<std::size_t>(counts_[2]) + 1, 0);
    for (Eigen::Index a = 0; a < n; ++a) ++first_[flat(bin_of(a)) + 1];
    for (std::size_t b = 1; b < first_.size(); ++b) first_[b] += first_[b - 1];
    order_.resize(static_cast<std::size_t>(n));
    std::vector<std::size_t> next = first_;
    for (Eigen::Index a = 0; a < n; ++a) order_[next[flat(bin_of(a))]++] = static_cast<std::int32_t>(a);
  }

  std::array<int, 3> counts_{}, reach_{};
  Coordinates wrapped_;
  std::vector<std::array<std::int32_t, 3>> images_;
  std::vector<std::size_t> first_;
  std::vector<std::int32_t> order_;
};

/// Floor division: quotient and remainder in [0, n).
std::pair<int, int> wrap(int value, int n) {
  const int quotient = value >= 0 ? value / n : -((-value + n - 1) / n);
  return {quotient, value - quotient * n};
}

}  // namespace

std::array<std::int32_t, 3> image_reach(const PositionBlock& positions, const Mat3& cell, const Periodicity& periodicity,
                                        double radius) {
  const Frame3 frame = frame_of(cell, periodicity);
  const Coordinates fractional = positions * frame.inverse;
  std::array<std::int32_t, 3> reach{0, 0, 0};
  for (int k = 0; k < 3; ++k) {
    if (!periodicity[static_cast<std::size_t>(k)] || positions.rows() == 0) continue;
    const double spread = fractional.col(k).maxCoeff() - fractional.col(k).minCoeff();
    reach[static_cast<std::size_t>(k)] = static_cast<std::int32_t>(std::ceil(radius / frame.heights[k] + spread));
  }
  return reach;
}

std::vector<Pair> find_pairs(const PositionBlock& positions, const Mat3& cell, const Periodicity& periodicity,
                             double radius) {
  std::vector<Pair> pairs;
  if (positions.rows() == 0) return pairs;
  const Frame3 frame = frame_of(cell, periodicity);
  const Bins bins(positions, frame, periodicity, radius);
  const double radius_squared = radius * radius;
  std::vector<Pair> of_atom;
  for (Eigen::Index i = 0; i < positions.rows(); ++i) {
    of_atom.clear();
    const std::array<int, 3> home = bins.bin_of(i);
    const auto& image_i = bins.image(i);
    for (int dx = -bins.reach(0); dx <= bins.reach(0); ++dx)
      for (int dy = -bins.reach(1); dy <= bins.reach(1); ++dy)
        for (int dz = -bins.reach(2); dz <= bins.reach(2); ++dz) {
          const std::array<int, 3> step{dx, dy, dz};
          std::array<int, 3> bin;
          std::array<std::int32_t, 3> crossed{0, 0, 0};
          bool inside = true;
          for (std::size_t k = 0; k < 3; ++k) {
            const int target = home[k] + step[k];
            if (periodicity[k]) std::tie(crossed[k], bin[k]) = wrap(target, bins.count(static_cast<int>(k)));
            else bin[k] = target, inside = inside && target >= 0 && target < bins.count(static_cast<int>(k));
          }
          if (!inside) continue;
          for (const std::int32_t j : bins.atoms(bin)) {
            std::array<std::int32_t, 3> shift;
            const auto& image_j = bins.image(j);
            for (std::size_t k = 0; k < 3; ++k) shift[k] = crossed[k] + image_i[k] - image_j[k];
            if (i == j && shift == std::array<std::int32_t, 3>{0, 0, 0}) continue;
            Vec3 d = positions.row(j) - positions.row(i);
            for (int k = 0; k < 3; ++k) d += shift[static_cast<std::size_t>(k)] * frame.cell.row(k).transpose();
            if (d.squaredNorm() <= radius_squared) of_atom.push_back({static_cast<std::int32_t>(i), j, shift});
          }
        }
    std::sort(of_atom.begin(), of_atom.end(), [](const Pair& a, const Pair& b) {
      return std::tie(a.j, a.shift) < std::tie(b.j, b.shift);
    });
    pairs.insert(pairs.end(), of_atom.begin(), of_atom.end());
  }
  return pairs;
}

}  // namespace tamiz::detail
