#pragma once

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "tamiz/core/io/extxyz.hpp"

/// Names of labels in extended XYZ, which its reader and its writer share.
namespace tamiz::extxyz {

inline const std::vector<std::string> k_energy_keys{"energy", "REF_energy", "dft_energy", "DFT_energy"};
inline const std::vector<std::string> k_free_energy_keys{"free_energy", "REF_free_energy", "dft_free_energy"};
inline const std::vector<std::string> k_force_keys{"forces", "REF_forces", "dft_forces", "DFT_forces", "force"};
inline const std::vector<std::string> k_stress_keys{"stress", "REF_stress", "dft_stress", "DFT_stress"};
inline const std::vector<std::string> k_virial_keys{"virial", "virials", "REF_virial", "REF_virials", "dft_virial"};

inline bool is_one_of(const std::vector<std::string>& keys, const std::string& key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

/// The names that are looked for: the chosen one alone, or the usual ones.
struct Names {
  std::vector<std::string> energy = k_energy_keys, free_energy = k_free_energy_keys, forces = k_force_keys,
                           stress = k_stress_keys, virial = k_virial_keys;

  bool contain(const std::string& key) const {
    return std::ranges::any_of(std::array{&energy, &free_energy, &forces, &stress, &virial}, [&](const auto* keys) { return is_one_of(*keys, key); });
  }

  explicit Names(const LabelKeys& keys) {
    if (!keys.energy.empty()) energy = {keys.energy}, free_energy.clear();
    if (!keys.forces.empty()) forces = {keys.forces};
    if (!keys.stress.empty()) stress = {keys.stress}, virial.clear();
  }
};

}  // namespace tamiz::extxyz
