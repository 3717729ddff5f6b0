#include <gtest/gtest.h>

#include <cmath>

#include "tamiz/core/base/philox.hpp"
#include "tamiz/potentials/engine/training/calibration.hpp"

namespace {

using namespace tamiz;

constexpr std::size_t k_frames = 2000;

/// A committee of two that spreads by `claimed` times σ(x) per atom around zero, σ of the one atom's position x.
class Committee : public Potential {
 public:
  explicit Committee(double claimed) : claimed_(claimed) {}

  std::string name() const override { return "committee"; }
  Capabilities capabilities() const override { return {.stress = false, .atom_energies = false, .n_members = 2, .elements = {}}; }
  NeighborRequest neighbors() const override { return {.cutoff = 1.0, .skin = 0.0}; }

  Prediction evaluate(const Batch& batch, const State& state, const NeighborList&, const Outputs&) const override {
    const auto n = static_cast<Eigen::Index>(batch.n_structures());
    Prediction p;
    p.energies = Eigen::VectorXd::Zero(n);
    // Two values at ±d have the standard deviation √2·d.
    p.member_energies = (state.positions.col(0) * claimed_ / std::sqrt(2.0)).eval() * Eigen::RowVector2d(1.0, -1.0);
    return p;
  }

 private:
  double claimed_;
};

/// One atom at x = σ, whose true energy is normal with that deviation.
std::vector<Frame> frames() {
  std::vector<Frame> result;
  for (std::uint64_t k = 0; k < k_frames; ++k) {
    Philox random(3, 1, k, 0);
    const double sigma = 0.01 + 0.1 * random.uniform();
    Coordinates place(1, 3);
    place << sigma, 0.0, 0.0;
    result.push_back({Structure(Lattice(), k_molecule, {Element(14)}, Cartesian{place}),
                      {.energy = sigma * random.normal(), .free_energy = {}, .forces = {}, .stress = {}}, {}, {}});
  }
  return result;
}

// Shares of n frames scatter by less than 0.5/√n, their area by less than that.
const double k_scatter = 2.0 * 0.5 / std::sqrt(static_cast<double>(k_frames));

TEST(Calibration, honest_deviations_cover_what_they_should) {
  const auto found = calibration(CommitteeErrors(Committee(1.0), frames()));

  ASSERT_TRUE(found);
  EXPECT_EQ(found->n_frames, k_frames);
  EXPECT_LT(found->miscalibration_area, k_scatter);
  for (std::size_t k = 0; k < found->expected.size(); ++k) EXPECT_NEAR(found->observed[k], found->expected[k], 2.0 * k_scatter);
  EXPECT_NEAR(found->sharpness, std::sqrt((0.11 * 0.11 * 0.11 - 0.01 * 0.01 * 0.01) / 0.3), 0.003);
}

TEST(Calibration, deviations_three_times_too_small_are_found_out) {
  const auto found = calibration(CommitteeErrors(Committee(1.0 / 3.0), frames()));

  // Coverage of share p is then erf(erf⁻¹(p)/3); its distance from p integrates to ½ − 2/π·arctan(1/3).
  EXPECT_NEAR(found->miscalibration_area, 0.5 - 2.0 / M_PI * std::atan(1.0 / 3.0), k_scatter);
  EXPECT_LT(found->observed.back(), found->expected.back());
}

TEST(Calibration, larger_deviations_go_with_larger_errors) {
  const auto found = calibration(CommitteeErrors(Committee(1.0), frames()));

  EXPECT_GT(found->spearman, 0.3);
  EXPECT_LT(found->spearman, 0.8);
}

TEST(Calibration, the_scale_repairs_what_is_wrong) {
  EXPECT_NEAR(calibrated_scale(CommitteeErrors(Committee(1.0 / 3.0), frames())).value(), 3.0, 0.2);
}

TEST(Calibration, labels_that_are_known_to_be_off_do_not_stretch_the_scale) {
  std::vector<Frame> mixed = frames();
  for (std::size_t k = 0; k < mixed.size(); k += 2) {
    *mixed[k].labels.energy *= 10.0;
    mixed[k].info["config_energy_weight"] = "0.001";
  }

  EXPECT_NEAR(calibrated_scale(CommitteeErrors(Committee(1.0), mixed)).value(), 1.0, 0.08);
}

TEST(Calibration, few_frames_say_nothing) {
  const std::vector<Frame> all = frames();

  EXPECT_FALSE(calibration(CommitteeErrors(Committee(1.0), std::span(all).first(4))));
  EXPECT_EQ(calibrated_scale(CommitteeErrors(Committee(3.0), std::span(all).first(4))), std::nullopt);
}

}  // namespace
