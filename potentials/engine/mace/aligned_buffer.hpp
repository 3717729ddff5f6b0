#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>

namespace tamiz::mace {

/// Numbers that start at a multiple of 64 bytes. Keeps its memory when it shrinks, so that a buffer that is used again
/// asks the system for nothing.
template <typename Real>
class AlignedBuffer {
 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t size) { assign_zero(size); }

  /// Of at least `size` numbers; what they are is not defined.
  void reserve(std::size_t size) {
    if (size <= capacity_) return;
    capacity_ = 0;
    data_.reset();  // before the new memory is asked for
    data_.reset(static_cast<Real*>(::operator new[](size * sizeof(Real), k_alignment)));
    capacity_ = size;
  }
  void assign_zero(std::size_t size) {
    reserve(size);
    std::fill(data_.get(), data_.get() + size, Real(0));
  }
  bool empty() const { return capacity_ == 0; }
  Real* data() { return data_.get(); }
  const Real* data() const { return data_.get(); }

 private:
  static constexpr std::align_val_t k_alignment{64};
  struct Release {
    void operator()(Real* data) const { ::operator delete[](data, k_alignment); }
  };
  std::unique_ptr<Real[], Release> data_;
  std::size_t capacity_ = 0;
};

/// `size` numbers rounded up to an odd count of cache lines: rows at this distance do not compete for the same places
/// in a cache.
template <typename Real>
constexpr std::size_t odd_lines(std::size_t size) {
  constexpr std::size_t line = 64 / sizeof(Real);
  return ((size + line - 1) / line | 1) * line;
}

}  // namespace tamiz::mace
