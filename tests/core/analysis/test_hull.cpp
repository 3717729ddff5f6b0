#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <vector>

#include "tamiz/core/analysis/hull.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/philox.hpp"

using namespace tamiz;

namespace {

// Energies are sums of a few numbers of size 10 eV; a linear program with at most six rows loses two digits.
constexpr double k_tolerance = 1e-9;

Composition formula(const std::string& text) { return Composition::from_formula(text); }
Element element(const std::string& symbol) { return Element::from_symbol(symbol); }
Phase phase(const std::string& text, double energy) { return {text, formula(text), energy}; }

/// Shares of the products by the id of their phase.
std::map<std::string, double> products_of(const ConvexHull& hull, const HullResult& result) {
  std::map<std::string, double> products;
  for (const auto& product : result.products) products[hull.phases()[product.phase].id] = product.atomic_fraction;
  return products;
}

void expect_products_sum_to(const ConvexHull& hull, const Composition& composition, const HullResult& result) {
  double total = 0.0;
  std::map<Element, double> sum;
  for (const auto& product : result.products) {
    EXPECT_GT(product.atomic_fraction, 0.0);
    total += product.atomic_fraction;
    for (const auto& [each, count] : hull.phases()[product.phase].composition.counts())
      sum[each] += product.atomic_fraction * hull.phases()[product.phase].composition.fraction(each);
  }
  EXPECT_NEAR(total, 1.0, 1e-12);
  for (const auto& [each, share] : sum) EXPECT_NEAR(share, composition.fraction(each), 1e-12);
}

/// Mg3N2 at −1 eV/atom of formation and Mg at −1.5, N at −8.
ConvexHull binary() { return ConvexHull({phase("Mg", -1.5), phase("N", -8.0), phase("Mg3N2", -5.1)}); }

nlohmann::json cases() {
  return nlohmann::json::parse(read_file(std::string(TAMIZ_TEST_DATA) + "/core/analysis/hull_cases.json")).at("cases");
}

std::vector<Phase> phases_of(const nlohmann::json& test) {
  std::vector<Phase> phases;
  for (const auto& entry : test.at("phases"))
    phases.push_back({"p" + std::to_string(phases.size()), formula(entry[0]), entry[1]});
  return phases;
}

}  // namespace

TEST(Hull, a_phase_on_the_hull_decomposes_into_itself) {
  const ConvexHull hull = binary();

  const HullResult result = hull.decompose(formula("Mg6N4"), -5.1);

  EXPECT_NEAR(result.energy_above_hull, 0.0, k_tolerance);
  EXPECT_EQ(products_of(hull, result), (std::map<std::string, double>{{"Mg3N2", 1.0}}));
}

TEST(Hull, a_binary_between_two_phases_follows_the_lever_rule) {
  const ConvexHull hull = binary();

  // MgN is half Mg, half N: 5/6 of its atoms go into Mg3N2 and 1/6 into N.
  const HullResult result = hull.decompose(formula("MgN"), -5.0);

  const auto products = products_of(hull, result);
  EXPECT_NEAR(products.at("Mg3N2"), 5.0 / 6.0, 1e-12);
  EXPECT_NEAR(products.at("N"), 1.0 / 6.0, 1e-12);
  EXPECT_NEAR(result.energy_above_hull, -5.0 - (5.0 * -5.1 - 8.0) / 6.0, k_tolerance);
}

TEST(Hull, formation_energy_is_measured_from_the_lowest_elemental_phases) {
  const ConvexHull hull({phase("Mg", -1.5), phase("N", -8.0), {"Mg high", formula("Mg2"), -1.2}});

  EXPECT_NEAR(hull.formation_energy(formula("Mg3N2"), -5.1), -1.0, k_tolerance);
  EXPECT_NEAR(hull.decompose(formula("Mg"), -1.2).energy_above_hull, 0.3, k_tolerance);
}

TEST(Hull, a_phase_exactly_on_a_tie_line_lies_on_the_hull) {
  // AB2 and A2B lie on the straight line from AB to the elements.
  const ConvexHull hull({phase("Mg", 0.0), phase("Si", 0.0), phase("MgSi", -0.6), phase("MgSi2", -0.4)});

  const HullResult on_line = hull.decompose(formula("MgSi2"), -0.4);
  const HullResult absent = hull.decompose(formula("Mg2Si"), -0.4);

  EXPECT_NEAR(on_line.energy_above_hull, 0.0, k_tolerance);
  EXPECT_EQ(products_of(hull, on_line), (std::map<std::string, double>{{"MgSi2", 1.0}}));
  EXPECT_NEAR(absent.energy_above_hull, 0.0, k_tolerance);
  expect_products_sum_to(hull, formula("Mg2Si"), absent);
}

TEST(Hull, of_duplicate_compositions_the_lowest_counts) {
  const ConvexHull hull({phase("Mg", 0.0), phase("Si", 0.0), {"high", formula("Mg2Si"), -0.1},
                         {"low", formula("Mg4Si2"), -0.2}, {"tie", formula("Mg8Si4"), -0.2}});

  const HullResult result = hull.decompose(formula("Mg2Si"), -0.1);

  EXPECT_NEAR(result.energy_above_hull, 0.1, k_tolerance);
  EXPECT_EQ(products_of(hull, result), (std::map<std::string, double>{{"low", 1.0}}));
}

TEST(Hull, a_composition_of_fewer_elements_sees_only_phases_of_these) {
  const ConvexHull hull({phase("Mg", 0.0), phase("Si", 0.0), phase("N", 0.0), phase("MgSiN2", -2.0)});

  const HullResult edge = hull.decompose(formula("Mg3N2"), -1.0);

  EXPECT_NEAR(edge.energy_above_hull, -1.0, k_tolerance);
  EXPECT_EQ(products_of(hull, edge), (std::map<std::string, double>{{"Mg", 0.6}, {"N", 0.4}}));
}

TEST(Hull, leaving_out_a_phase_gives_its_distance_below_the_others) {
  const ConvexHull hull = binary();
  const std::vector<std::string> excluded{"Mg3N2"};

  const HullResult result = hull.decompose_without(formula("Mg3N2"), -5.1, excluded);

  EXPECT_NEAR(result.energy_above_hull, -1.0, k_tolerance);
  EXPECT_EQ(products_of(hull, result), (std::map<std::string, double>{{"Mg", 0.6}, {"N", 0.4}}));
}

TEST(Hull, leaving_out_an_elemental_phase_falls_back_on_its_other_polymorph) {
  const ConvexHull hull({phase("Mg", -1.5), {"Mg high", formula("Mg2"), -1.2}, phase("N", -8.0)});
  const std::vector<std::string> ground{"Mg"}, all{"Mg", "Mg high"};

  EXPECT_NEAR(hull.decompose_without(formula("Mg"), -1.5, ground).energy_above_hull, -0.3, k_tolerance);
  EXPECT_NEAR(hull.decompose_without(formula("Mg"), -1.5, all).energy_above_hull, 0.0, k_tolerance);
}

TEST(Hull, large_energies_lose_no_precision) {
  // Total energies with core electrons are thousands of eV per atom.
  const ConvexHull hull({phase("Mg", -5441.5), phase("N", -1488.0), phase("Mg3N2", -3861.1)});

  EXPECT_NEAR(hull.decompose(formula("MgN"), -3464.75 - 0.5).energy_above_hull, -0.5 + 5.0 / 6.0, k_tolerance);
}

TEST(Hull, agrees_with_pymatgen_on_random_phase_diagrams) {
  int compared = 0;
  for (const auto& test : cases()) {
    const ConvexHull hull(phases_of(test));
    for (const auto& query : test.at("queries")) {
      const Composition composition = formula(query.at("formula"));
      const HullResult result = hull.decompose(composition, query.at("energy"));
      EXPECT_NEAR(result.energy_above_hull, query.at("above").get<double>(), k_tolerance);
      EXPECT_NEAR(hull.formation_energy(composition, query.at("energy")), query.at("formation").get<double>(), k_tolerance);
      expect_products_sum_to(hull, composition, result);
      std::map<std::size_t, double> expected, came;
      for (const auto& product : query.at("products")) expected[product[0]] = product[1];
      for (const auto& product : result.products) came[product.phase] = product.atomic_fraction;
      ASSERT_EQ(came.size(), expected.size()) << query.dump();
      for (const auto& [index, fraction] : expected) EXPECT_NEAR(came[index], fraction, k_tolerance) << query.dump();
      ++compared;
    }
  }
  EXPECT_GT(compared, 150);
}

TEST(Hull, stability_ranges_agree_with_the_primal_linear_program) {
  int compared = 0;
  for (const auto& test : cases()) {
    const std::vector<Phase> phases = phases_of(test);
    const ConvexHull hull(phases);
    for (const auto& expected : test.at("ranges")) {
      const Phase& compound = phases[expected.at("phase").get<std::size_t>()];
      const auto range = hull.stability_range(compound.composition, compound.energy_per_atom, element(expected.at("element")));
      EXPECT_TRUE(range.stable);
      EXPECT_NEAR(range.low, expected.at("low").get<double>(), k_tolerance);
      EXPECT_NEAR(range.high, expected.at("high").get<double>(), k_tolerance);
      ++compared;
    }
  }
  EXPECT_GT(compared, 15);
}

TEST(Hull, the_range_of_a_binary_ends_at_its_elements) {
  // 3 Δμ_Mg + 2 Δμ_N = 5·(−1) with both ≤ 0: Δμ_N from −2.5 (Mg-rich) to 0.
  const ConvexHull hull = binary();

  const auto nitrogen = hull.stability_range(formula("Mg3N2"), -5.1, element("N"));
  const auto magnesium = hull.stability_range(formula("Mg3N2"), -5.1, element("Mg"));

  EXPECT_NEAR(nitrogen.low, -2.5, k_tolerance);
  EXPECT_NEAR(nitrogen.high, 0.0, k_tolerance);
  EXPECT_NEAR(magnesium.low, -5.0 / 3.0, k_tolerance);
  EXPECT_NEAR(magnesium.high, 0.0, k_tolerance);
}

TEST(Hull, a_compound_that_is_not_listed_has_a_range_when_it_lies_below_the_hull) {
  const ConvexHull hull({phase("Mg", -1.5), phase("N", -8.0)});

  const auto range = hull.stability_range(formula("Mg3N2"), -5.1, element("N"));

  EXPECT_TRUE(range.stable);
  EXPECT_NEAR(range.low, -2.5, k_tolerance);
}

TEST(Hull, a_ternary_range_matches_a_scan_of_the_chemical_potentials) {
  const std::vector<Phase> phases{phase("Mg", 0.0),     phase("Si", 0.0),     phase("N", 0.0),
                                  phase("Mg3N2", -1.0), phase("Si3N4", -1.2), phase("Mg2Si", -0.2),
                                  phase("MgSiN2", -1.4)};
  const ConvexHull hull(phases);

  const auto range = hull.stability_range(formula("MgSiN2"), -1.4, element("N"));

  // For each Δμ_N, is there a Δμ_Mg (Δμ_Si follows) at which no phase is more stable?
  double low = 1.0, high = -10.0;
  constexpr double k_step = 1e-2;
  for (double mu_n = -4.0; mu_n <= 1e-9; mu_n += k_step)
    for (double mu_mg = -6.0; mu_mg <= 1e-9; mu_mg += k_step) {
      const double mu_si = 4.0 * -1.4 - mu_mg - 2.0 * mu_n;
      bool stable = true;
      for (const Phase& each : phases) {
        const Composition& c = each.composition;
        const double sum = c.fraction(element("Mg")) * mu_mg + c.fraction(element("Si")) * mu_si + c.fraction(element("N")) * mu_n;
        stable = stable && sum <= each.energy_per_atom + 1e-9;
      }
      if (!stable) continue;
      low = std::min(low, mu_n);
      high = std::max(high, mu_n);
    }
  EXPECT_TRUE(range.stable);
  EXPECT_NEAR(range.low, low, 2.0 * k_step);
  EXPECT_NEAR(range.high, high, 2.0 * k_step);
}

TEST(Hull, a_compound_above_the_hull_is_stable_nowhere) {
  const ConvexHull hull = binary();

  EXPECT_FALSE(hull.stability_range(formula("MgN"), -5.0, element("N")).stable);
  EXPECT_FALSE(hull.stability_range(formula("Mg3N2"), -5.1 + 1e-6, element("N")).stable);
}

TEST(Hull, an_element_is_stable_at_its_own_chemical_potential) {
  const auto range = binary().stability_range(formula("N2"), -8.0, element("N"));

  EXPECT_TRUE(range.stable);
  EXPECT_NEAR(range.low, 0.0, k_tolerance);
  EXPECT_NEAR(range.high, 0.0, k_tolerance);
}

TEST(Hull, six_elements_and_many_phases_decompose_into_their_own_composition) {
  const std::vector<std::string> symbols{"Mg", "Ca", "Zn", "Si", "Ge", "N"};
  std::vector<Phase> phases;
  for (const auto& symbol : symbols) phases.push_back(phase(symbol, 0.0));
  Philox random(3, 1000, 0, 0);
  const auto random_formula = [&] {
    std::map<Element, int> counts;
    while (counts.size() < 2)
      for (const auto& symbol : symbols)
        if (const auto n = static_cast<int>(random.below(4)); n > 0) counts[element(symbol)] = n;
    return Composition(counts);
  };
  // Energies on a coarse grid give many exact ties.
  for (int k = 0; k < 400; ++k)
    phases.push_back({"p" + std::to_string(k), random_formula(), -0.1 * static_cast<double>(random.below(8))});
  const ConvexHull hull(phases);

  for (int k = 0; k < 100; ++k) {
    const Composition composition = random_formula();
    const HullResult result = hull.decompose(composition, 0.0);
    expect_products_sum_to(hull, composition, result);
    double energy = 0.0;
    for (const auto& product : result.products)
      energy += product.atomic_fraction * hull.phases()[product.phase].energy_per_atom;
    EXPECT_NEAR(result.energy_above_hull, -energy, k_tolerance);
  }
  for (const Phase& each : phases)
    EXPECT_GE(hull.decompose(each.composition, each.energy_per_atom).energy_above_hull, -k_tolerance);
}

TEST(Hull, refuses_what_it_cannot_answer) {
  EXPECT_THROW(ConvexHull({phase("Mg", 0.0), phase("Mg3N2", -1.0)}), ShapeError);
  EXPECT_THROW(ConvexHull({phase("Mg", std::nan(""))}), NumericsError);
  EXPECT_THROW(binary().decompose(formula("GaN"), 0.0), SpeciesError);
  EXPECT_THROW(binary().stability_range(formula("Mg"), -1.5, element("N")), SpeciesError);
  EXPECT_THROW(binary().decompose(Composition(), 0.0), ShapeError);
}
