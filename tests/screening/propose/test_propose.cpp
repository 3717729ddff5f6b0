#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>
#include <sstream>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/structure/identity.hpp"
#include "tamiz/core/structure/symmetry.hpp"
#include "tamiz/screening/propose/contacts.hpp"
#include "tamiz/screening/propose/orderings.hpp"
#include "tamiz/screening/propose/propose.hpp"

namespace tamiz {
namespace {

ProposeOptions nitrides() {
  ProposeOptions options;
  options.systems = {"Ca-Mg-N", "Mg-Si-N"};
  options.min_candidates = 160;
  return options;
}

/// The example's proposal, made once for all tests that only look at it.
const Proposal& example() {
  static const Proposal proposal = propose(nitrides());
  return proposal;
}

std::set<std::string> elements_in(const Candidate& candidate) {
  std::set<std::string> elements;
  for (const Element element : candidate.structure.species()) elements.emplace(element.symbol());
  return elements;
}

int count_of_origin(const Proposal& proposal, const std::string& origin) {
  return static_cast<int>(std::count_if(proposal.candidates.begin(), proposal.candidates.end(),
                                        [&](const Candidate& c) { return c.origin == origin; }));
}

const Candidate* find(const Proposal& proposal, const std::string& prototype, const std::string& decoration) {
  for (const Candidate& c : proposal.candidates) {
    if (c.prototype == prototype && c.decoration == decoration) return &c;
  }
  return nullptr;
}

bool was_rejected(const Proposal& proposal, const std::string& what, const std::string& reason) {
  return std::any_of(proposal.rejections.begin(), proposal.rejections.end(), [&](const Rejection& r) {
    return r.what.find(what) != std::string::npos && r.reason.find(reason) != std::string::npos;
  });
}

TEST(Propose, the_example_has_at_least_150_candidates_of_all_origins) {
  const Proposal& proposal = example();

  EXPECT_GE(proposal.candidates.size(), 150u);
  EXPECT_LE(proposal.candidates.size(), 400u);
  EXPECT_GE(count_of_origin(proposal, "prototype") + count_of_origin(proposal, "ordering"), 50);
  EXPECT_GE(count_of_origin(proposal, "random"), 50);
}

TEST(Propose, ids_count_up_from_c0001) {
  int n = 0;

  for (const Candidate& candidate : example().candidates) {
    const std::string digits = std::to_string(++n);
    EXPECT_EQ(candidate.id, "c" + std::string(4 - digits.size(), '0') + digits);
  }
}

TEST(Propose, every_candidate_uses_all_elements_of_one_system) {
  const std::set<std::set<std::string>> systems{{"Ca", "Mg", "N"}, {"Mg", "Si", "N"}};

  for (const Candidate& candidate : example().candidates) EXPECT_TRUE(systems.contains(elements_in(candidate)));
}

TEST(Propose, charges_named_by_a_candidate_add_up_to_zero) {
  for (const Candidate& candidate : example().candidates) {
    std::map<std::string, int> states;
    std::istringstream words(candidate.oxidation);
    for (std::string word; words >> word;) {
      const std::size_t sign = word.find_first_of("+-");
      states[word.substr(0, sign)] = std::stoi(word.substr(sign));
    }

    int charge = 0;
    for (const Element element : candidate.structure.species()) charge += states.at(std::string(element.symbol()));

    EXPECT_EQ(charge, 0) << candidate.id << " " << candidate.oxidation;
    EXPECT_EQ(states.at("Mg"), 2);
    EXPECT_EQ(states.at("N"), -3);
  }
}

TEST(Propose, no_candidate_is_larger_than_allowed_or_a_supercell) {
  for (const Candidate& candidate : example().candidates) {
    EXPECT_LE(candidate.structure.size(), 8u);
    EXPECT_EQ(primitive_cell(candidate.structure, 1e-3).size(), candidate.structure.size()) << candidate.id;
  }
}

TEST(Propose, random_crystals_have_the_symmetry_they_claim) {
  int checked = 0;

  for (const Candidate& candidate : example().candidates) {
    if (candidate.origin != "random") continue;
    EXPECT_EQ(space_group(candidate.structure, 1e-3).symbol, candidate.prototype) << candidate.id;
    ++checked;
  }

  EXPECT_GE(checked, 50);
}

TEST(Propose, cells_are_compact_enough_for_dft) {
  for (const Candidate& candidate : example().candidates) {
    const std::array<double, 6> p = candidate.structure.lattice().parameters();
    for (std::size_t k = 3; k < 6; ++k) {
      EXPECT_GE(p[k], 50.0) << candidate.id;
      EXPECT_LE(p[k], 130.0) << candidate.id;
    }
  }
}

TEST(Propose, no_two_candidates_are_the_same_structure) {
  std::vector<Structure> structures;
  for (const Candidate& candidate : example().candidates) structures.push_back(candidate.structure);

  const std::vector<std::size_t> groups = group_duplicates(structures);

  for (std::size_t k = 0; k < groups.size(); ++k) EXPECT_EQ(groups[k], k) << example().candidates[k].id;
}

TEST(Propose, no_candidate_has_overlapping_atoms) {
  for (const Candidate& candidate : example().candidates) {
    EXPECT_GT(candidate.structure.shortest_distance(), 1.3) << candidate.id;
    EXPECT_FALSE(overlap(candidate.structure).has_value());
  }
}

TEST(Propose, finds_the_structure_type_of_camg2n2_without_being_told) {
  const Candidate* found = find(example(), "CaAl2Si2", "A=Ca,B=Mg,X=N");

  ASSERT_NE(found, nullptr);
  EXPECT_EQ(space_group(found->structure, 1e-3).number, 164);
  EXPECT_EQ(found->structure.composition(), Composition::from_formula("CaMg2N2"));
}

TEST(Propose, two_runs_give_the_same_bits) {
  ProposeOptions options = nitrides();
  options.systems = {"Mg-Si-N"};
  options.random_per_formula = 2;
  options.orderings_per_parent = 2;
  options.min_candidates = 40;

  const Proposal first = propose(options);
  const Proposal second = propose(options);

  ASSERT_EQ(first.candidates.size(), second.candidates.size());
  ASSERT_GT(first.candidates.size(), 20u);
  for (std::size_t k = 0; k < first.candidates.size(); ++k) {
    EXPECT_EQ(first.candidates[k].structure.content_hash(), second.candidates[k].structure.content_hash());
    EXPECT_EQ(first.candidates[k].decoration, second.candidates[k].decoration);
  }
}

TEST(Propose, the_seed_changes_the_random_crystals_alone) {
  ProposeOptions options = nitrides();
  options.systems = {"Ca-Mg-N"};
  options.random_per_formula = 2;
  options.min_candidates = 0;
  const Proposal first = propose(options);
  options.seed = 2;

  const Proposal second = propose(options);

  int changed = 0;
  for (std::size_t k = 0; k < std::min(first.candidates.size(), second.candidates.size()); ++k) {
    const bool same = first.candidates[k].structure.content_hash() == second.candidates[k].structure.content_hash();
    if (first.candidates[k].origin == "random") changed += same ? 0 : 1;
    else EXPECT_TRUE(same) << first.candidates[k].id;
  }
  EXPECT_EQ(changed, 4);
}

TEST(Propose, rejections_carry_their_reasons) {
  const Proposal& proposal = example();

  EXPECT_TRUE(was_rejected(proposal, "half-Heusler A=Ca,B=Mg,X=N", "charge"));
  EXPECT_TRUE(was_rejected(proposal, "beta-NaFeO2 A=Mg,B=Si,X=N", "too many atoms: 16"));
  EXPECT_TRUE(was_rejected(proposal, "", "duplicate of c0"));
  for (const Rejection& rejection : proposal.rejections) EXPECT_FALSE(rejection.reason.empty());
}

TEST(Propose, a_limit_of_16_atoms_admits_the_ordered_wurtzite_of_mgsin2) {
  ProposeOptions options = nitrides();
  options.systems = {"Mg-Si-N"};
  options.prototypes = {"Pna2_1"};
  options.max_atoms = 16;
  options.random_formulas = {"MgSiN2"};
  options.random_per_formula = 0;

  const Proposal proposal = propose(options);

  const Candidate* found = find(proposal, "beta-NaFeO2", "A=Mg,B=Si,X=N");
  ASSERT_NE(found, nullptr);
  EXPECT_EQ(found->structure.size(), 16u);
  EXPECT_EQ(space_group(found->structure, 1e-3).symbol, "Pna2_1");
}

TEST(Propose, shared_elements_decorate_ternary_types_with_two_elements) {
  ProposeOptions options;
  options.systems = {"Mg-N"};
  options.prototypes = {"CaAl2Si2"};
  options.random_per_formula = 0;
  EXPECT_TRUE(propose(options).candidates.empty());
  options.share_elements = true;

  const Proposal shared = propose(options);

  EXPECT_NE(find(shared, "CaAl2Si2", "A=Mg,B=Mg,X=N"), nullptr);
}

TEST(Propose, random_crystals_fill_up_to_min_candidates) {
  EXPECT_EQ(example().candidates.size(), 160u);
}

TEST(Propose, no_candidate_has_a_rare_state_unless_it_is_asked_for) {
  for (const Candidate& candidate : example().candidates) {
    EXPECT_EQ(candidate.oxidation, elements_in(candidate).contains("Si") ? "Mg+2 Si+4 N-3" : "Ca+2 Mg+2 N-3");
  }
  ProposeOptions options;
  options.systems = {"Mg-Si-N"};
  options.random_formulas = {"Mg5SiN2"};
  options.prototypes = {"rocksalt"};
  EXPECT_TRUE(propose(options).candidates.empty());
  options.oxidation.given[Element::from_symbol("Si")] = {-4};
  options.random_per_formula = 2;

  EXPECT_FALSE(propose(options).candidates.empty());
}

TEST(Propose, max_candidates_is_kept_and_said) {
  ProposeOptions options = nitrides();
  options.min_candidates = 0;
  options.max_candidates = 40;

  const Proposal proposal = propose(options);

  EXPECT_EQ(proposal.candidates.size(), 40u);
  EXPECT_TRUE(was_rejected(proposal, "", "max_candidates = 40"));
}

TEST(Propose, other_systems_are_served_too) {
  for (const char* system : {"Zn-Ge-N", "Ca-Zn-N"}) {
    ProposeOptions options;
    options.systems = {system};
    options.random_per_formula = 2;

    const Proposal proposal = propose(options);

    EXPECT_GE(proposal.candidates.size(), 20u) << system;
  }
}

TEST(Propose, unknown_names_suggest_the_nearest) {
  ProposeOptions options = nitrides();
  options.prototypes = {"rocksald"};
  try {
    propose(options);
    FAIL() << "an unknown prototype was accepted";
  } catch (const FormatError& error) {
    EXPECT_NE(std::string(error.what()).find("'rocksalt'"), std::string::npos) << error.what();
  }

  options.prototypes.clear();
  options.systems = {"Mg-Sii-N"};
  EXPECT_THROW(propose(options), SpeciesError);
  options.systems = {"Mg-Mg-N"};
  EXPECT_THROW(propose(options), FormatError);
  options.systems = {"Mg--N"};
  EXPECT_THROW(propose(options), FormatError);
  options.systems = {"Mg-N"};
  options.max_atoms = 0;
  EXPECT_THROW(propose(options), UnitError);
}

TEST(Orderings, hermite_normal_forms_are_all_sublattices) {
  // Numbers of sublattices of index n of a lattice in three dimensions (OEIS A001001).
  const std::vector<std::size_t> expected{1, 7, 13, 35, 31, 91};

  for (std::size_t n = 1; n <= expected.size(); ++n) {
    const auto forms = hermite_normal_forms(static_cast<int>(n));
    EXPECT_EQ(forms.size(), expected[n - 1]);
    for (const Eigen::Matrix3i& form : forms) EXPECT_EQ(form(0, 0) * form(1, 1) * form(2, 2), static_cast<int>(n));
  }
}

TEST(Orderings, zincblende_yields_chalcopyrite_and_the_layered_order_as_locally_neutral) {
  const Element mg = Element::from_symbol("Mg");
  const Element si = Element::from_symbol("Si");
  const Element n = Element::from_symbol("N");
  const OxidationStates states{{mg, 2}, {si, 4}, {n, -3}};
  std::set<int> neutral;

  for (const Ordering& o : orderings_of(find_prototype("zincblende"), Composition::from_formula("MgSiN2"), states, 8)) {
    if (o.charge_error < 1e-6) neutral.insert(space_group(o.structure, 1e-3).number);
  }

  EXPECT_TRUE(neutral.contains(122));
  EXPECT_TRUE(neutral.contains(115));
}

TEST(Orderings, of_very_many_some_of_every_supercell_are_drawn) {
  const OxidationStates states{{Element::from_symbol("Mg"), 2}, {Element::from_symbol("Si"), 4}, {Element::from_symbol("N"), -3}};
  const auto large = [&] {
    std::vector<std::string> cells;
    for (const Ordering& o : orderings_of(find_prototype("zincblende"), Composition::from_formula("MgSiN2"), states, 24))
      if (o.structure.size() == 24) cells.push_back(o.text.substr(o.text.rfind(' ')));
    return cells;
  };

  const std::vector<std::string> cells = large();

  EXPECT_LE(cells.size(), 4000u);
  // Of 455, most of which symmetry makes copies of others; the first four alone would fill the number.
  EXPECT_GT(std::set<std::string>(cells.begin(), cells.end()).size(), 40u);
  EXPECT_EQ(large(), cells);
}

}  // namespace
}  // namespace tamiz
