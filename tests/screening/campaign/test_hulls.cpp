#include <gtest/gtest.h>

#include "tamiz/screening/campaign/correction.hpp"
#include "tamiz/screening/campaign/hulls.hpp"

namespace tamiz {
namespace {

Structure atoms(const std::string& formula) {
  const Composition composition = Composition::from_formula(formula);
  std::vector<Element> species;
  for (const auto& [element, count] : composition.counts()) species.insert(species.end(), static_cast<std::size_t>(count), element);
  Coordinates positions = Coordinates::Zero(static_cast<Eigen::Index>(species.size()), 3);
  for (Eigen::Index a = 0; a < positions.rows(); ++a) positions(a, 0) = 2.0 * static_cast<double>(a);
  return Structure(Lattice(Mat3(Mat3::Identity() * 50.0)), k_periodic, std::move(species), Cartesian{positions});
}

CompetingPhase phase(const std::string& formula, double energy) {
  return {"competing/" + formula, formula, "test", atoms(formula), energy, 0.0};
}

const std::vector<CompetingPhase> k_phases{phase("Mg", -1.0), phase("N2", -8.0), phase("Mg3N2", -5.0)};

TEST(CommitteeHulls, an_error_common_to_compound_and_competitors_cancels) {
  // Member 1 puts every nitrogen 1 eV too high, in the compound and in its competitors alike.
  const auto shifted = [](const std::string& formula, double energy) {
    const Composition composition = Composition::from_formula(formula);
    return ModelEnergy{energy, {energy, energy + composition.fraction(Element(7))}};
  };
  const std::vector<ModelEnergy> energies{shifted("Mg", -1.0), shifted("N2", -8.0), shifted("Mg3N2", -5.0)};
  const CommitteeHulls hulls(k_phases, energies);

  const ModelAssessment assessment = hulls.assess(Composition::from_formula("MgN"), shifted("MgN", -4.9));

  // Hull at x_N = 1/2 between Mg3N2 (x = 2/5) and N2: -5 - 3·(0.1/0.6) = -5.5.
  EXPECT_NEAR(assessment.e_hull, 0.6, 1e-12);
  EXPECT_NEAR(assessment.sigma, 0.0, 1e-12);
}

TEST(CommitteeHulls, disagreement_about_the_compound_alone_is_the_uncertainty) {
  const std::vector<ModelEnergy> energies{{-1.0, {-1.0, -1.0}}, {-8.0, {-8.0, -8.0}}, {-5.0, {-5.0, -5.0}}};
  const CommitteeHulls hulls(k_phases, energies);

  const ModelAssessment assessment = hulls.assess(Composition::from_formula("Mg3N2"), {-4.9, {-4.8, -5.0}});

  EXPECT_NEAR(assessment.e_hull, 0.1, 1e-12);
  EXPECT_NEAR(assessment.sigma, std::sqrt(0.02), 1e-12);
}

TEST(DftHull, a_stable_phase_lies_on_the_hull_and_below_the_others) {
  std::vector<Phase> phases;
  for (const CompetingPhase& known : k_phases)
    phases.push_back({known.id, known.structure.composition(), known.energy_per_atom});
  const DftHull hull(std::move(phases));

  const DftAssessment assessment = hull.assess(Composition::from_formula("Mg3N2"), -5.0,
                                               std::vector<std::string>{"competing/Mg3N2"});

  EXPECT_NEAR(assessment.e_hull, 0.0, 1e-12);
  EXPECT_NEAR(assessment.formation_energy, -5.0 + 0.6 + 3.2, 1e-12);
  EXPECT_NEAR(assessment.distance_below_others, assessment.formation_energy, 1e-12);
  ASSERT_TRUE(assessment.nitrogen.stable);
  // From Mg-rich (all of 5·ΔH_f on two nitrogen atoms) to N-rich (Δμ_N = 0).
  EXPECT_NEAR(assessment.nitrogen.high, 0.0, 1e-9);
  EXPECT_NEAR(assessment.nitrogen.low, 5.0 * assessment.formation_energy / 2.0, 1e-9);
}

TEST(DftHull, a_phase_that_is_the_compound_itself_does_not_take_its_stability_away) {
  const DftHull hull(hull_phases(k_phases));
  const Composition compound = Composition::from_formula("Mg3N2");

  // Relaxed once more, it ends 0.02 meV/atom above the stored one.
  const DftAssessment same = hull.assess(compound, -5.0 + 2e-5, std::vector<std::string>{"competing/Mg3N2"});
  const DftAssessment another = hull.assess(compound, -5.0 + 2e-5, {});

  EXPECT_TRUE(same.nitrogen.stable);
  EXPECT_NEAR(same.nitrogen.low, 5.0 * same.formation_energy / 2.0, 1e-9);
  EXPECT_FALSE(another.nitrogen.stable);
}

TEST(DftHull, corrects_the_compound_and_its_competitors) {
  std::vector<Phase> phases;
  for (const CompetingPhase& known : k_phases) phases.push_back({known.id, known.structure.composition(), known.energy_per_atom});

  const DftAssessment assessment = DftHull(std::move(phases)).assess(Composition::from_formula("MgN"), -4.9, {});

  // Mg3N2 at −5 − 0.361·2/5 and N2 without a correction: −5.1444 − (8 − 5.1444)/6 at x_N = 1/2; MgN at −4.9 − 0.361/2.
  EXPECT_NEAR(assessment.e_hull, 0.6, 1e-12);
  EXPECT_NEAR(assessment.e_hull_corrected, (-4.9 - 0.1805) - (-5.1444 - (8.0 - 5.1444) / 6.0), 1e-12);
}

TEST(AnionCorrection, shifts_compounds_by_their_nitrogen_and_leaves_elements_alone) {
  const AnionCorrection& correction = mp2020_correction();

  EXPECT_DOUBLE_EQ(correction.per_atom_of(Composition::from_formula("N2")), 0.0);
  EXPECT_DOUBLE_EQ(correction.per_atom_of(Composition::from_formula("Mg2Si")), 0.0);
  EXPECT_NEAR(correction.per_atom_of(Composition::from_formula("Mg3N2")), -0.361 * 0.4, 1e-12);
}

}  // namespace
}  // namespace tamiz
