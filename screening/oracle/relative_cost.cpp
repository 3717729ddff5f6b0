#include "tamiz/screening/oracle/relative_cost.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>

#include "tamiz/core/structure/symmetry.hpp"
#include "tamiz/screening/oracle/expected_gap.hpp"

namespace tamiz {
namespace {

constexpr double k_symmetry_gain = 0.4;  // CaZn2N2 with its 12 rotations takes 8 s, without 20 s
constexpr double k_metal = 3.0;          // its mesh of k-points is finer: crystals of four atoms off their symmetry take 250 s instead of 75 s

/// Rotations of a space group: by as many, fewer k-points have to be calculated.
std::size_t n_rotations(int space_group_number) {
  std::set<std::array<int, 9>> rotations;
  for (const SymmetryOperation& operation : operations_of_hall(hall_number_of(space_group_number))) {
    std::array<int, 9> rotation;
    std::copy_n(operation.rotation.data(), 9, rotation.begin());
    rotations.insert(rotation);
  }
  return rotations.size();
}

}  // namespace

double relative_cost(const Structure& structure, int space_group_number) {
  double electrons = 0.0;
  for (const Element element : structure.species()) electrons += std::min(12, element.number());
  const double mesh = may_have_gap(structure.composition()) ? 1.0 : k_metal;
  return mesh * std::pow(electrons, 1.5) / std::pow(static_cast<double>(n_rotations(space_group_number)), k_symmetry_gain);
}

}  // namespace tamiz
