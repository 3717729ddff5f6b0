#pragma once

#include <compare>
#include <map>

#include "tamiz/potentials/engine/mace/aligned_buffer.hpp"

namespace tamiz::mace {

/// Names an array of weights as the kernels read them.
struct WeightKey {
  enum Kind {
    up,
    message,
    product,
    skip,
    contraction,
    features,
    skipped,
    table,
    density_table,
    network,
    density,
    read_out
  };
  Kind kind;
  std::size_t interaction = 0;
  std::size_t l = 0;      ///< or the layer of a network
  std::size_t which = 0;  ///< element or radial table it belongs to
  auto operator<=>(const WeightKey&) const = default;
};

/// Sums by key, which begin as zeros when they are first asked for. Keeps its memory when cleared.
template <typename Number>
class KeyedSums {
 public:
  Number* at(const WeightKey& key, std::size_t size) {
    Sum& sum = sums_[key];
    if (!sum.used) {
      sum.values.assign_zero(size);
      sum.size = size;
      sum.used = true;
    }
    return sum.values.data();
  }
  /// Calls use(key, values) for all that were asked for, in the order of keys.
  template <typename Use>
  void visit(const Use& use) const {
    for (const auto& [key, sum] : sums_)
      if (sum.used) use(key, sum.values.data());
  }
  void add(const KeyedSums& other) {
    for (const auto& [key, sum] : other.sums_) {
      if (!sum.used) continue;
      Number* values = at(key, sum.size);
      for (std::size_t k = 0; k < sum.size; ++k) values[k] += sum.values.data()[k];
    }
  }
  void clear() {
    for (auto& [key, sum] : sums_) sum.used = false;
  }

 private:
  struct Sum {
    AlignedBuffer<Number> values;
    std::size_t size = 0;
    bool used = false;
  };
  std::map<WeightKey, Sum> sums_;
};

/// Derivatives of a loss by weights as they are applied: packed as the kernels read them, or row-major in float64 what
/// works in it.
template <typename Real>
struct WeightGradients {
  KeyedSums<Real> packed;
  KeyedSums<double> wide;

  void clear() {
    packed.clear();
    wide.clear();
  }
  void add(const WeightGradients& other) {
    packed.add(other.packed);
    wide.add(other.wide);
  }
};

}  // namespace tamiz::mace
