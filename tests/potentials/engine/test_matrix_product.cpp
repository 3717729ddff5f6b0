#include <gtest/gtest.h>

#include "tamiz/potentials/engine/mace/matrix_product.hpp"

namespace {

using tamiz::mace::RowMatrix;

struct Sizes {
  Eigen::Index rows, inner, columns;
};

/// What Eigen makes of the same, up to the order of the sums; sizes that fill vectors, and such that do not.
template <typename Number>
void compare(double tolerance) {
  for (const auto& [rows, inner, columns] : {Sizes{1, 1, 1}, {3, 5, 7}, {17, 20, 9}, {8, 24, 64}, {128, 128, 128}}) {
    const RowMatrix a = RowMatrix::Random(rows, inner), b = RowMatrix::Random(inner, columns);
    const RowMatrix found = tamiz::mace::product<Number>(a, b), expected = a * b;
    ASSERT_EQ(found.rows(), rows);
    ASSERT_EQ(found.cols(), columns);
    EXPECT_LT((found - expected).cwiseAbs().maxCoeff(), tolerance * static_cast<double>(inner)) << rows << " " << inner << " " << columns;
  }
}

TEST(MatrixProduct, AsEigenInFloat64) { compare<double>(1e-15); }
TEST(MatrixProduct, AsEigenInFloat32) { compare<float>(2e-7); }

}  // namespace
