#include "tamiz/potentials/engine/training/held_out.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "tamiz/core/base/hash.hpp"
#include "tamiz/core/base/philox.hpp"
#include "tamiz/core/neighbors/neighbor_list.hpp"
#include "tamiz/core/structure/composition.hpp"

namespace tamiz {
namespace {

constexpr std::size_t k_many_formulas = 10;

/// Frames by what is drawn for them, and whether they may be held out at all.
struct Group {
  std::vector<std::size_t> frames;
  bool is_kept = false;
};

std::map<std::uint64_t, Group> groups_of(std::span<const Frame> frames, std::span<const std::uint64_t> keys, double cutoff) {
  std::map<std::uint64_t, Group> groups;
  for (std::size_t k = 0; k < frames.size(); ++k) {
    Group& group = groups[keys[k]];
    group.frames.push_back(k);
    // With all of its element, which must not judge what it taught.
    group.is_kept = group.is_kept || is_isolated_atom(frames[k].structure, cutoff);
  }
  return groups;
}

/// Trains on the groups of elements that nothing else knows.
void keep_elements(std::span<const Frame> frames, std::span<const std::uint64_t> keys, std::map<std::uint64_t, Group>& groups,
                   const std::set<std::uint64_t>& drawn) {
  std::set<Element> known;
  for (const auto& [key, group] : groups)
    if (!drawn.contains(key))
      for (const std::size_t k : group.frames) known.insert(frames[k].structure.species().begin(), frames[k].structure.species().end());
  for (std::size_t k = 0; k < frames.size(); ++k) {
    const auto species = frames[k].structure.species();
    if (std::all_of(species.begin(), species.end(), [&](Element element) { return known.contains(element); })) continue;
    groups[keys[k]].is_kept = true;
    known.insert(species.begin(), species.end());
  }
}

}  // namespace

std::vector<std::uint64_t> draw_keys(std::span<const Frame> frames) {
  std::vector<std::uint64_t> by_formula, by_content;
  std::set<std::uint64_t> formulas;
  for (const Frame& frame : frames) {
    by_formula.push_back(hash64(frame.structure.composition().reduced().formula()));
    by_content.push_back(hash64(frame.structure.content_hash()));
    formulas.insert(by_formula.back());
  }
  return formulas.size() >= k_many_formulas ? by_formula : by_content;
}

bool is_isolated_atom(const Structure& structure, double cutoff) {
  if (structure.size() != 1) return false;
  const std::span<const Structure> one(&structure, 1);
  return build_neighbors(Batch(one), State::of(one), {cutoff, 0.0}).n_pairs() == 0;
}

std::vector<bool> held_out(std::span<const Frame> frames, std::span<const std::uint64_t> keys, double fraction, std::uint64_t seed, double cutoff) {
  std::vector<bool> result(frames.size(), false);
  if (fraction <= 0.0) return result;
  std::map<std::uint64_t, Group> groups = groups_of(frames, keys, cutoff);
  std::vector<std::pair<double, std::uint64_t>> lots;
  for (const auto& [key, group] : groups)
    if (!group.is_kept) lots.emplace_back(Philox(seed, streams::k_split, key, 0).uniform(), key);
  std::sort(lots.begin(), lots.end());
  const double wanted = fraction * static_cast<double>(frames.size());
  std::set<std::uint64_t> drawn;
  double n_drawn = 0.0;
  for (const auto& [lot, key] : lots) {
    const auto size = static_cast<double>(groups[key].frames.size());
    if (n_drawn + size > wanted + 0.5) continue;
    drawn.insert(key);
    n_drawn += size;
  }
  // Where all are larger than that, the smallest: something has to judge.
  const auto smaller = [&](const auto& a, const auto& b) { return groups[a.second].frames.size() < groups[b.second].frames.size(); };
  if (drawn.empty() && wanted >= 0.5 && lots.size() > 1) drawn.insert(std::ranges::min_element(lots, smaller)->second);
  keep_elements(frames, keys, groups, drawn);
  for (const std::uint64_t key : drawn)
    if (!groups[key].is_kept)
      for (const std::size_t k : groups[key].frames) result[k] = true;
  return result;
}

}  // namespace tamiz
