#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <Eigen/LU>
#include <cmath>
#include <limits>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/philox.hpp"
#include "tamiz/core/structure/lattice.hpp"

using namespace tamiz;

namespace {

constexpr double k_rounding = 1e-12;  // of numbers of size 1 to 10 after a few operations

Lattice triclinic() {
  Mat3 rows;
  rows << 4.0, 0.1, -0.2, 1.9, 3.5, 0.3, 0.7, -1.6, 5.1;
  return Lattice(rows);
}

}  // namespace

TEST(Lattice, volume_is_the_triple_product_with_its_sign) {
  Mat3 left = triclinic().rows();
  left.row(0).swap(left.row(1));

  EXPECT_NEAR(triclinic().signed_volume(), triclinic().rows().determinant(), k_rounding * 100);
  EXPECT_NEAR(Lattice(left).signed_volume(), -triclinic().volume(), k_rounding * 100);
  EXPECT_GT(Lattice(left).volume(), 0.0);
}

TEST(Lattice, reciprocal_rows_are_dual_to_the_vectors) {
  Mat3 left = triclinic().rows();
  left.row(1).swap(left.row(2));
  for (const Lattice& lattice : {triclinic(), Lattice(left)})
    EXPECT_LT((lattice.rows() * lattice.reciprocal().transpose() - Mat3::Identity()).norm(), k_rounding);
}

TEST(Lattice, heights_are_volume_over_face) {
  const Lattice lattice = triclinic();
  const Vec3 heights = lattice.heights();

  for (int k = 0; k < 3; ++k) {
    const double face = lattice.vector((k + 1) % 3).cross(lattice.vector((k + 2) % 3)).norm();
    EXPECT_NEAR(heights[k], lattice.volume() / face, k_rounding);
  }
}

TEST(Lattice, parameters_make_the_same_cell_again) {
  Philox random(1, 1, 0, 0);
  for (int trial = 0; trial < 200; ++trial) {
    Mat3 rows;
    for (int k = 0; k < 9; ++k) rows.data()[k] = 10.0 * random.uniform() - 5.0;
    if (std::abs(rows.determinant()) < 5.0) continue;
    const auto p = Lattice(rows).parameters();

    const Lattice again = Lattice::from_parameters(p[0], p[1], p[2], p[3], p[4], p[5]);

    const auto q = again.parameters();
    for (std::size_t k = 0; k < 6; ++k) EXPECT_NEAR(q[k], p[k], 1e-9);
    EXPECT_NEAR(again.volume(), Lattice(rows).volume(), 1e-8);
    EXPECT_GT(again.signed_volume(), 0.0);
  }
}

TEST(Lattice, right_angles_give_exact_zeros) {
  const Lattice box = Lattice::from_parameters(3.0, 4.0, 5.0, 90.0, 90.0, 90.0);

  EXPECT_EQ(box.rows()(0, 1), 0.0);
  EXPECT_EQ(box.rows()(1, 0), 0.0);
  EXPECT_EQ(box.rows()(2, 0), 0.0);
  EXPECT_EQ(box.rows()(2, 1), 0.0);
  EXPECT_DOUBLE_EQ(box.volume(), 60.0);
}

TEST(Lattice, first_vector_lies_along_x_and_second_in_the_plane) {
  const Mat3 rows = Lattice::from_parameters(3.0, 4.0, 5.0, 80.0, 95.0, 120.0).rows();

  EXPECT_EQ(rows(0, 1), 0.0);
  EXPECT_EQ(rows(0, 2), 0.0);
  EXPECT_EQ(rows(1, 2), 0.0);
  EXPECT_NEAR(rows(1, 0), -2.0, k_rounding);  // 4 cos 120°
}

TEST(Lattice, impossible_parameters_are_refused) {
  EXPECT_THROW(Lattice::from_parameters(3.0, 3.0, 3.0, 60.0, 60.0, 130.0), NumericsError);
  EXPECT_THROW(Lattice::from_parameters(0.0, 3.0, 3.0, 90.0, 90.0, 90.0), NumericsError);
  EXPECT_THROW(Lattice::from_parameters(3.0, -3.0, 3.0, 90.0, 90.0, 90.0), NumericsError);
  EXPECT_THROW(Lattice::from_parameters(3.0, 3.0, 3.0, 90.0, 90.0, 180.0), NumericsError);
  EXPECT_THROW(Lattice::from_parameters(3.0, 3.0, std::nan(""), 90.0, 90.0, 90.0), NumericsError);
}

TEST(Lattice, infinite_parameters_are_refused) {
  constexpr double k_infinity = std::numeric_limits<double>::infinity();
  EXPECT_THROW(Lattice::from_parameters(k_infinity, 3.0, 3.0, 90.0, 90.0, 90.0), NumericsError);
  EXPECT_THROW(Lattice(Mat3::Constant(k_infinity)), NumericsError);
  EXPECT_THROW(Lattice(Mat3::Constant(std::nan(""))), NumericsError);
}

TEST(Lattice, a_cell_without_volume_has_no_reciprocal) {
  EXPECT_THROW(Lattice().reciprocal(), NumericsError);
  EXPECT_THROW(Lattice().heights(), NumericsError);
}
