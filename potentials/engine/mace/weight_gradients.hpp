#pragma once

#include <algorithm>
#include <compare>
#include <map>
#include <span>
#include <vector>

#include "tamiz/core/base/parallel.hpp"
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
  /// Adds what others have, one behind the other.
  void add(std::span<const KeyedSums* const> others, int threads) {
    std::vector<WeightKey> keys;
    for (const KeyedSums* other : others)
      for (const auto& [key, sum] : other->sums_)
        if (sum.used) {
          at(key, sum.size);
          keys.push_back(key);
        }
    std::sort(keys.begin(), keys.end());
    keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
    parallel_for(keys.size(), threads, [&](std::size_t k) {
      Sum& total = sums_.at(keys[k]);
      for (const KeyedSums* other : others) {
        const auto found = other->sums_.find(keys[k]);
        if (found == other->sums_.end() || !found->second.used) continue;
        const Number* values = found->second.values.data();
        for (std::size_t n = 0; n < total.size; ++n) total.values.data()[n] += values[n];
      }
    });
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
  /// Adds all others to the first.
  static void add_up(std::span<WeightGradients> parts, int threads) {
    std::vector<const KeyedSums<Real>*> packed;
    std::vector<const KeyedSums<double>*> wide;
    for (const WeightGradients& part : parts.subspan(1)) {
      packed.push_back(&part.packed);
      wide.push_back(&part.wide);
    }
    parts.front().packed.add(packed, threads);
    parts.front().wide.add(wide, threads);
  }
};

}  // namespace tamiz::mace
