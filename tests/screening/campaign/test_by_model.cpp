#include <gtest/gtest.h>

#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/screening/campaign/stage_vibrate.hpp"
#include "tamiz/screening/campaign/start_curvature.hpp"

namespace tamiz {
namespace {

std::shared_ptr<const Potential> silicon_potential() {
  return load_potential(std::string(TAMIZ_SOURCE_DIR) + "/datasets/potentials/stillinger-weber-si.toml", {});
}

/// Diamond of an element, whose second atom is moved by `shift` [Å].
Structure diamond(int element, double a, double shift = 0.0) {
  const double h = 0.5 * a, q = 0.25 * a;
  return Structure(Lattice((Mat3() << 0, h, h, h, 0, h, h, h, 0).finished()), k_periodic, std::vector<Element>(2, Element(element)),
                   Cartesian{(Coordinates(2, 3) << 0, 0, 0, q + shift, q, q).finished()});
}

/// Relaxes, and has second derivatives that cannot be calculated.
class Broken final : public Potential {
 public:
  explicit Broken(std::shared_ptr<const Potential> inner) : inner_(std::move(inner)) {}
  std::string name() const override { return "broken"; }
  Capabilities capabilities() const override {
    Capabilities capabilities = inner_->capabilities();
    capabilities.second_derivatives = true;
    return capabilities;
  }
  NeighborRequest neighbors() const override { return inner_->neighbors(); }
  Prediction evaluate(const Batch& batch, const State& state, const NeighborList& neighbors, const Outputs& outputs) const override {
    return inner_->evaluate(batch, state, neighbors, outputs);
  }
  Coordinates hessian_vector_products(const Batch&, const State&, const NeighborList&, const Coordinates&) const override {
    throw NumericsError("a table ends here");
  }

 private:
  std::shared_ptr<const Potential> inner_;
};

VibrationRecord vibrations(const Potential& potential, const Structure& crystal, const PhononOptions& options = {}) {
  return vibrations_of(potential, "c0001", crystal, options, 1, [] {});
}

LabelRequest request(const Structure& crystal, LabelTask task = LabelTask::relax) {
  return {.id = "x", .structure = crystal, .task = task, .level = "", .settings = "{}"};
}

}  // namespace

TEST(Vibrations, of_a_crystal_at_its_minimum_say_whether_it_is_stable) {
  const VibrationRecord record = vibrations(*silicon_potential(), diamond(14, 5.5));

  EXPECT_EQ(record.reason, "");
  EXPECT_EQ(record.candidate, "c0001");
  EXPECT_TRUE(record.stable);
  EXPECT_GT(record.lowest, 0.0);
  EXPECT_GT(record.copies[0], 3);
}

TEST(Vibrations, are_not_said_of_what_has_none) {
  const auto potential = silicon_potential();

  EXPECT_EQ(vibrations(*potential, diamond(32, 5.6)).reason, "the model's relaxation did not converge");
  EXPECT_EQ(vibrations(*potential, diamond(14, 5.431, 0.9)).reason, "the model relaxes it into another crystal");
  EXPECT_EQ(vibrations(*potential, diamond(14, 5.431), {.length = 50.0}).reason, "its supercell has too many atoms");
  EXPECT_EQ(vibrations(Broken(potential), diamond(14, 5.431)).reason, "the model gives no force constants: a table ends here");
}

TEST(Vibrations, end_where_the_campaign_is_stopped) {
  struct Stopped {};

  EXPECT_THROW(vibrations_of(*silicon_potential(), "c0001", diamond(14, 5.5), {}, 1, [] { throw Stopped{}; }), Stopped);
}

TEST(CurvatureByModel, is_given_to_relaxations_of_crystals_that_the_model_knows) {
  const auto prepare = curvature_by(silicon_potential());
  LabelRequest wanted = request(diamond(14, 5.431));

  prepare(wanted);

  EXPECT_EQ(wanted.curvature.rows(), 15);
  EXPECT_EQ(wanted.key(), request(diamond(14, 5.431)).key()) << "a label is the same with and without it";
}

TEST(CurvatureByModel, leaves_all_else_as_it_is) {
  const auto prepare = curvature_by(silicon_potential());
  const Structure molecule({}, k_molecule, std::vector<Element>(2, Element(14)), Cartesian{(Coordinates(2, 3) << 0, 0, 0, 0, 0, 2.3).finished()});

  for (LabelRequest each : {request(diamond(14, 5.431), LabelTask::single_point), request(diamond(32, 5.6)), request(molecule),
                            request(diamond(14, 5.431).supercell({4, 4, 4}))}) {
    prepare(each);
    EXPECT_EQ(each.curvature.size(), 0);
  }
  EXPECT_FALSE(curvature_by(nullptr));
}

}  // namespace tamiz
