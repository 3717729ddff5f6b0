#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/io/toml.hpp"
#include "tamiz/potentials/engine/classical/classical.hpp"
#include "tamiz/potentials/engine/classical/lennard_jones.hpp"
#include "tamiz/potentials/engine/classical/stillinger_weber.hpp"
#include "tamiz/potentials/engine/classical/zbl.hpp"

namespace tamiz {
namespace {

double required(const TomlTable& table, const std::string& key) {
  table.require(key);
  const double value = table.number(key, 0.0);
  if (!std::isfinite(value)) table.fail(key, "expected a finite number");
  return value;
}

double at_least(const TomlTable& table, const std::string& key, double limit) {
  const double value = required(table, key);
  if (!(value >= limit)) table.fail(key, "expected a number of at least " + std::to_string(limit));
  return value;
}

double above_zero(const TomlTable& table, const std::string& key) {
  const double value = required(table, key);
  if (!(value > 0.0)) table.fail(key, "expected a number above 0");
  return value;
}

Element element_of(const TomlTable& table, const std::string& key, const std::string& symbol) {
  try {
    return Element::from_symbol(symbol);
  } catch (const SpeciesError& error) {
    table.fail(key, error.what());
  }
}

/// `n` symbols under `key`; any number where n is 0.
std::vector<Element> elements_of(const TomlTable& table, const std::string& key, std::size_t n) {
  table.require(key);
  std::vector<Element> elements;
  for (const std::string& symbol : table.texts(key, {})) elements.push_back(element_of(table, key, symbol));
  if (n > 0 && elements.size() != n)
    table.fail(key, "expected " + std::to_string(n) + " elements, got " + std::to_string(elements.size()));
  if (elements.empty()) table.fail(key, "expected at least one element");
  return elements;
}

/// The elements that the pairs name, by atomic number.
std::vector<Element> elements_in(const TomlTable& root) {
  std::set<Element> elements;
  for (const TomlTable& pair : root.tables("pair"))
    for (const Element element : elements_of(pair, "elements", 2)) elements.insert(element);
  if (elements.empty()) root.fail("pair", "expected at least one [[pair]]");
  return {elements.begin(), elements.end()};
}

std::size_t place(const std::vector<Element>& elements, Element element) {
  return static_cast<std::size_t>(std::find(elements.begin(), elements.end(), element) - elements.begin());
}

/// Reads every [[pair]] into a symmetric table; entries that no pair gives stay empty.
template <typename Pair, typename Read>
std::vector<std::optional<Pair>> pair_table(const TomlTable& root, const std::vector<Element>& elements, const Read& read) {
  const std::size_t n = elements.size();
  std::vector<std::optional<Pair>> pairs(n * n);
  for (const TomlTable& entry : root.tables("pair")) {
    const std::vector<Element> two = elements_of(entry, "elements", 2);
    const std::size_t a = place(elements, two[0]), b = place(elements, two[1]);
    if (pairs[a * n + b]) entry.fail("elements", "this pair stands twice");
    pairs[a * n + b] = pairs[b * n + a] = read(entry);
  }
  return pairs;
}

[[noreturn]] void missing_pair(const TomlTable& root, Element a, Element b, const std::string& advice) {
  root.fail("pair", "no [[pair]] for " + std::string(a.symbol()) + " and " + std::string(b.symbol()) + advice);
}

// Lorentz (σ) and Berthelot (ε): arithmetic and geometric mean of the two pure pairs.
LennardJones::Pair mixed(const LennardJones::Pair& a, const LennardJones::Pair& b) {
  return {std::sqrt(a.epsilon * b.epsilon), 0.5 * (a.sigma + b.sigma)};
}

std::vector<LennardJones::Pair> lennard_jones_pairs(const TomlTable& root, const std::vector<Element>& elements) {
  const auto read = [](const TomlTable& entry) {
    entry.allow_only({"elements", "epsilon", "sigma"});
    return LennardJones::Pair{at_least(entry, "epsilon", 0.0), above_zero(entry, "sigma")};
  };
  const auto given = pair_table<LennardJones::Pair>(root, elements, read);
  const std::string mixing = root.text("mixing", "none");
  if (mixing != "none" && mixing != "lorentz-berthelot") root.fail("mixing", "expected none or lorentz-berthelot, got " + mixing);
  const std::size_t n = elements.size();
  std::vector<LennardJones::Pair> pairs(n * n);
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b < n; ++b) {
      const auto& own = given[a * n + b];
      const auto &first = given[a * n + a], &second = given[b * n + b];
      if (!own && (mixing == "none" || !first || !second))
        missing_pair(root, elements[a], elements[b], "; add it, or set mixing = \"lorentz-berthelot\" and give the pure pairs");
      pairs[a * n + b] = own ? *own : mixed(*first, *second);
    }
  return pairs;
}

std::unique_ptr<Potential> lennard_jones(const TomlTable& root) {
  root.allow_only({"kind", "name", "source", "cutoff", "smoothing", "switch_width", "mixing", "pair"});
  LennardJones::Parameters parameters;
  parameters.name = root.text("name", "lennard-jones");
  parameters.elements = elements_in(root);
  parameters.cutoff = above_zero(root, "cutoff");
  const std::string smoothing = root.text("smoothing", "switch");
  if (smoothing != "switch" && smoothing != "shifted-force")
    root.fail("smoothing", "expected switch or shifted-force, got " + smoothing);
  parameters.smoothing = smoothing == "switch" ? LennardJones::Smoothing::switched : LennardJones::Smoothing::shifted_force;
  parameters.switch_width = root.number("switch_width", std::min(1.0, parameters.cutoff));
  if (!(parameters.switch_width > 0.0 && parameters.switch_width <= parameters.cutoff))
    root.fail("switch_width", "expected a number above 0 and at most the cutoff");
  parameters.pairs = lennard_jones_pairs(root, parameters.elements);
  return std::make_unique<LennardJones>(std::move(parameters));
}

StillingerWeber::Pair stillinger_weber_pair(const TomlTable& entry) {
  entry.allow_only({"elements", "epsilon", "sigma", "a", "A", "B", "p", "q", "gamma"});
  return {at_least(entry, "epsilon", 0.0), above_zero(entry, "sigma"), above_zero(entry, "a"), required(entry, "A"),
          required(entry, "B"),            required(entry, "p"),       required(entry, "q"),   above_zero(entry, "gamma")};
}

std::vector<StillingerWeber::Triplet> stillinger_weber_triplets(const TomlTable& root, const std::vector<Element>& elements) {
  const std::size_t n = elements.size();
  std::vector<std::optional<StillingerWeber::Triplet>> given(n * n * n);
  for (const TomlTable& entry : root.tables("triplet")) {
    entry.allow_only({"center", "ends", "epsilon", "lambda", "cos_theta0"});
    entry.require("center");
    const Element center = element_of(entry, "center", entry.text("center", ""));
    const std::vector<Element> ends = elements_of(entry, "ends", 2);
    const std::size_t c = place(elements, center), j = place(elements, ends[0]), k = place(elements, ends[1]);
    if (c == n || j == n || k == n) entry.fail(c == n ? "center" : "ends", "an element of this triplet has no [[pair]]");
    const double cosine = required(entry, "cos_theta0");
    if (!(std::abs(cosine) <= 1.0)) entry.fail("cos_theta0", "expected a number within -1 and 1");
    if (given[(c * n + j) * n + k]) entry.fail("center", "this triplet stands twice");
    given[(c * n + j) * n + k] = given[(c * n + k) * n + j] =
        StillingerWeber::Triplet{at_least(entry, "lambda", 0.0) * at_least(entry, "epsilon", 0.0), cosine};
  }
  std::vector<StillingerWeber::Triplet> triplets;
  for (std::size_t index = 0; index < given.size(); ++index) {
    if (!given[index])
      root.fail("triplet", "no [[triplet]] with center " + std::string(elements[index / (n * n)].symbol()) + " and ends " +
                               std::string(elements[index / n % n].symbol()) + ", " +
                               std::string(elements[index % n].symbol()) + "; lambda = 0 means none");
    triplets.push_back(*given[index]);
  }
  return triplets;
}

std::unique_ptr<Potential> stillinger_weber(const TomlTable& root) {
  root.allow_only({"kind", "name", "source", "pair", "triplet"});
  StillingerWeber::Parameters parameters;
  parameters.name = root.text("name", "stillinger-weber");
  parameters.elements = elements_in(root);
  const std::size_t n = parameters.elements.size();
  const auto pairs = pair_table<StillingerWeber::Pair>(root, parameters.elements, stillinger_weber_pair);
  for (std::size_t index = 0; index < n * n; ++index) {
    if (!pairs[index]) missing_pair(root, parameters.elements[index / n], parameters.elements[index % n], "");
    parameters.pairs.push_back(*pairs[index]);
  }
  parameters.triplets = stillinger_weber_triplets(root, parameters.elements);
  return std::make_unique<StillingerWeber>(std::move(parameters));
}

std::unique_ptr<Potential> zbl(const TomlTable& root) {
  root.allow_only({"kind", "name", "source", "elements", "inner", "outer"});
  Zbl::Parameters parameters{root.text("name", "zbl"), elements_of(root, "elements", 0), at_least(root, "inner", 0.0),
                             above_zero(root, "outer")};
  if (parameters.inner >= parameters.outer) root.fail("outer", "expected a number above inner");
  return std::make_unique<Zbl>(std::move(parameters));
}

}  // namespace

std::unique_ptr<Potential> parse_classical_potential(std::string_view text, const std::string& name) {
  const TomlTable root = TomlTable::parse(text, name);
  root.require("kind");
  const std::string kind = root.text("kind", "");
  if (kind == "lennard-jones") return lennard_jones(root);
  if (kind == "stillinger-weber") return stillinger_weber(root);
  if (kind == "zbl") return zbl(root);
  root.fail("kind", "expected lennard-jones, stillinger-weber or zbl, got " + kind);
}

std::unique_ptr<Potential> make_classical_potential(const std::filesystem::path& file) {
  return parse_classical_potential(read_file(file), file.string());
}

}  // namespace tamiz
