#include "tamiz/screening/propose/contacts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "tamiz/core/neighbors/neighbor_list.hpp"
#include "tamiz/core/structure/batch.hpp"
#include "tamiz/screening/propose/radii.hpp"

namespace tamiz {
namespace {

/// Neighbours up to this times the nearest one make the first shell.
constexpr double k_shell = 1.25;
/// Far enough to find the first shells at `k_probe_volume` per atom.
constexpr double k_probe_cutoff = 6.0;
constexpr double k_probe_volume = 12.0;  // [Å³]

bool bonded(int charge_a, int charge_b, bool one_element) { return one_element || charge_a * charge_b < 0; }

/// First shell of each atom among the neighbours of the other charge.
std::vector<std::vector<Contact>> first_shells(const Structure& structure, const OxidationStates& states) {
  std::vector<std::vector<Contact>> shells = contacts_of(structure, k_probe_cutoff);
  const auto species = structure.species();
  for (std::size_t i = 0; i < shells.size(); ++i) {
    const int charge = states.at(species[i]);
    std::erase_if(shells[i], [&](const Contact& c) {
      return !bonded(charge, states.at(species[c.atom]), states.size() == 1);
    });
    if (shells[i].empty()) continue;
    const double limit = k_shell * shells[i].front().distance;
    std::erase_if(shells[i], [&](const Contact& c) { return c.distance > limit; });
  }
  return shells;
}

Structure at_probe_volume(const Structure& structure) {
  const double target = k_probe_volume * static_cast<double>(structure.size());
  return structure.with_lattice_scaled(std::cbrt(target / structure.lattice().volume()));
}

}  // namespace

std::vector<std::vector<Contact>> contacts_of(const Structure& structure, double cutoff) {
  const std::vector<Structure> one{structure};
  const Batch batch(one);
  const State state = State::of(one);
  const NeighborList list = build_neighbors(batch, state, {cutoff, 0.0});
  std::vector<std::vector<Contact>> contacts(structure.size());
  for (std::size_t p = 0; p < list.n_pairs(); ++p) {
    contacts[static_cast<std::size_t>(list.centers()[p])].push_back(
        {static_cast<std::size_t>(list.neighbors()[p]), list.vector(p, batch, state).norm()});
  }
  for (auto& row : contacts) {
    std::stable_sort(row.begin(), row.end(), [](const Contact& a, const Contact& b) { return a.distance < b.distance; });
  }
  return contacts;
}

std::optional<Structure> scaled_to_radii(const Structure& structure, const OxidationStates& states) {
  const Structure probe = at_probe_volume(structure);
  const auto shells = first_shells(probe, states);
  const auto species = probe.species();
  const auto ion = [&](std::size_t i) {
    return Ion{species[i], states.at(species[i]), static_cast<int>(shells[i].size())};
  };
  double sum = 0.0;
  double least = std::numeric_limits<double>::infinity();
  std::size_t n = 0;
  for (std::size_t i = 0; i < shells.size(); ++i) {
    if (states.at(species[i]) < 0) continue;
    for (const Contact& c : shells[i]) {
      const double ratio = c.distance / expected_contact(ion(i), ion(c.atom));
      sum += ratio;
      least = std::min(least, ratio);
      ++n;
    }
  }
  if (n == 0) return std::nullopt;
  const double mean = sum / static_cast<double>(n);
  double scale = 1.0 / mean;
  if (states.size() > 1) {
    // Where bonds and voids of a structure type fit the ions badly, the contacts alone give absurd densities.
    const double expected = guess_volume(probe.composition(), states);
    const double unit = probe.lattice().volume();
    scale = std::clamp(scale, std::cbrt(0.7 * expected / unit), std::cbrt(1.5 * expected / unit));
  }
  return probe.with_lattice_scaled(std::max(scale, 0.85 / least));
}

std::optional<std::string> overlap(const Structure& structure) {
  constexpr double k_factor = 0.6;
  double largest = 0.0;
  for (const Element element : structure.species()) largest = std::max(largest, element.covalent_radius());
  const auto contacts = contacts_of(structure, 2.0 * k_factor * largest + 0.01);
  const auto species = structure.species();
  for (std::size_t i = 0; i < contacts.size(); ++i) {
    for (const Contact& c : contacts[i]) {
      const double least = k_factor * (species[i].covalent_radius() + species[c.atom].covalent_radius());
      if (c.distance < least) {
        return fmt::format("{}-{} at {:.2f} Å, below {:.2f} Å", species[i].symbol(), species[c.atom].symbol(),
                           c.distance, least);
      }
    }
  }
  return std::nullopt;
}

MinimumDistances minimum_distances(const OxidationStates& states) {
  const auto least = [](const Ion& a, const Ion& b) {
    if (a.charge * b.charge < 0) return 0.8 * expected_contact(a, b);
    const auto radius_a = shannon_radius(a);
    const auto radius_b = shannon_radius(b);
    if (a.charge < 0 && radius_a && radius_b) return 0.75 * (*radius_a + *radius_b);
    return 0.75 * (a.element.covalent_radius() + b.element.covalent_radius());
  };
  MinimumDistances result;
  for (const auto& [a, charge_a] : states) {
    for (const auto& [b, charge_b] : states) result[{a, b}] = least({a, charge_a, 4}, {b, charge_b, 4});
  }
  return result;
}

bool too_close(const Structure& structure, const MinimumDistances& least) {
  double largest = 0.0;
  for (const auto& [pair, distance] : least) largest = std::max(largest, distance);
  const auto species = structure.species();
  const auto contacts = contacts_of(structure, largest);
  for (std::size_t i = 0; i < contacts.size(); ++i) {
    for (const Contact& c : contacts[i]) {
      if (c.distance < least.at({species[i], species[c.atom]})) return true;
    }
  }
  return false;
}

double local_charge_error(const Structure& structure, const OxidationStates& states) {
  const Structure probe = at_probe_volume(structure);
  const auto shells = first_shells(probe, states);
  const auto species = probe.species();
  std::vector<double> received(probe.size(), 0.0);
  for (std::size_t i = 0; i < shells.size(); ++i) {
    const int charge = states.at(species[i]);
    if (charge <= 0 || shells[i].empty()) continue;
    for (const Contact& c : shells[i]) received[c.atom] += charge / static_cast<double>(shells[i].size());
  }
  double error = 0.0;
  int anions = 0;
  for (std::size_t i = 0; i < received.size(); ++i) {
    const int charge = states.at(species[i]);
    if (charge >= 0) continue;
    error += std::abs(received[i] + charge);
    ++anions;
  }
  return anions == 0 ? 0.0 : error / anions;
}

}  // namespace tamiz
