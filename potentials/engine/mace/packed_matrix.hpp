#pragma once

#include <Eigen/Core>
#include <bit>
#include <cstdint>

#include "tamiz/potentials/engine/mace/aligned_buffer.hpp"

namespace tamiz::mace {

using RowMatrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A matrix in the order in which kernels::MultiplyArguments reads it.
template <typename Real>
struct PackedMatrix {
  std::int64_t n_in = 0, n_out = 0;
  AlignedBuffer<Real> values;
  AlignedBuffer<std::uint16_t> rounded;  ///< as kernels::RoundedMultiplyArguments reads it, where products are in bfloat16
};

/// Channels, and all rows and columns of packed matrices, come in whole blocks: vectors of any type fill them.
inline constexpr int k_channel_block = 16;
constexpr Eigen::Index whole_blocks(Eigen::Index n) { return (n + k_channel_block - 1) / k_channel_block * k_channel_block; }

/// Rows and columns come in groups of `width_in` and `width_out`, which are padded with zeros to `padded_in` and
/// `padded_out`, of whole blocks.
struct Padding {
  Eigen::Index width_in, padded_in, width_out, padded_out;
};
inline Padding transposed(const Padding& p) { return {p.width_out, p.padded_out, p.width_in, p.padded_in}; }

/// Calls use(place in the packed values, entry of the matrix) for every entry, in the order of the places.
template <typename Number, typename Matrix, typename Use>
void over_packed(Matrix& matrix, const Padding& padding, std::int64_t n_in, const Use& use) {
  constexpr Eigen::Index lanes = static_cast<Eigen::Index>(64 / sizeof(Number));
  const auto row_of_vectors = [&](Eigen::Index place, Eigen::Index column, Eigen::Index n) {
    for (Eigen::Index i = 0; i < matrix.rows(); ++i) {
      const Eigen::Index in = i / padding.width_in * padding.padded_in + i % padding.width_in;
      for (Eigen::Index k = 0; k < n; ++k) use(static_cast<std::size_t>(place + in * lanes + k), matrix(i, column + k));
    }
  };
  for (Eigen::Index group = 0; group < matrix.cols() / padding.width_out; ++group)
    for (Eigen::Index begin = 0; begin < padding.width_out; begin += lanes) {
      const Eigen::Index place = (group * padding.padded_out + begin) * n_in, column = group * padding.width_out + begin;
      // A vector that is full has a length that the compiler knows.
      if (begin + lanes <= padding.width_out)
        row_of_vectors(place, column, lanes);
      else
        row_of_vectors(place, column, padding.width_out - begin);
    }
}

/// `matrix` may be an expression, as a transposed one.
template <typename Real, typename Matrix>
void pack(const Matrix& matrix, const Padding& padding, PackedMatrix<Real>& packed) {
  packed.n_in = matrix.rows() / padding.width_in * padding.padded_in;
  packed.n_out = matrix.cols() / padding.width_out * padding.padded_out;
  const bool is_whole = packed.n_in == matrix.rows() && packed.n_out == matrix.cols();
  const auto size = static_cast<std::size_t>(packed.n_in * packed.n_out);
  if (is_whole)
    packed.values.reserve(size);
  else
    packed.values.assign_zero(size);
  Real* values = packed.values.data();
  over_packed<Real>(matrix, padding, packed.n_in,
                    [values](std::size_t place, double entry) { values[place] = static_cast<Real>(entry); });
}
template <typename Real, typename Matrix>
PackedMatrix<Real> pack(const Matrix& matrix, const Padding& padding) {
  PackedMatrix<Real> packed;
  pack(matrix, padding, packed);
  return packed;
}

/// To the nearest, ties to even. Of finite numbers.
inline std::uint16_t to_bfloat16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  return static_cast<std::uint16_t>((bits + 0x7FFFu + (bits >> 16 & 1u)) >> 16);
}

/// Fills `rounded` from the values.
inline void round_to_bfloat16(PackedMatrix<float>& packed) {
  constexpr std::int64_t lanes = 16;
  packed.rounded.reserve(static_cast<std::size_t>(packed.n_in * packed.n_out));
  for (std::int64_t block = 0; block < packed.n_out; block += lanes)
    for (std::int64_t k = 0; k < packed.n_in; ++k)
      for (std::int64_t lane = 0; lane < lanes; ++lane)
        packed.rounded.data()[block * packed.n_in + (k / 2 * lanes + lane) * 2 + k % 2] =
            to_bfloat16(packed.values.data()[block * packed.n_in + k * lanes + lane]);
}

/// The reverse of packing: adds the entries of a matrix that `packed` holds.
template <typename Number>
void add_unpacked(const Number* packed, std::int64_t n_in, const Padding& padding, RowMatrix& matrix) {
  over_packed<Number>(matrix, padding, n_in,
                      [packed](std::size_t place, double& entry) { entry += static_cast<double>(packed[place]); });
}

/// A matrix and its transpose, for the way forth and back.
template <typename Real>
struct TwoWayMatrix {
  PackedMatrix<Real> forth, back;
};

}  // namespace tamiz::mace
