#include <gtest/gtest.h>

#include <cmath>

#include "../../support/crystals.hpp"
#include "../../support/hdf5_leaks.hpp"
#include "../../support/in_folder.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/philox.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/screening/properties/gap_errors.hpp"
#include "tamiz/screening/properties/crystal_features.hpp"

using namespace tamiz;
using namespace tamiz::test_support;

namespace {

class GapModelFile : public InFolder {
 protected:
  const std::filesystem::path path_ = folder_ / "gaps.h5";
};

/// A crystal of a world in which gaps follow from three of six features, and plain gaps are two thirds of them less 0.3 eV,
/// and a little more that follows from a feature, too.
GapSample crystal_of(std::uint64_t number) {
  Philox random(3, number, 0, 0);
  GapSample sample;
  sample.features.resize(6);
  sample.group = "A" + std::to_string(number / 2);
  for (double& feature : sample.features) feature = random.normal();
  const double level = 1.0 + sample.features[0] + 0.5 * std::sin(2.0 * sample.features[1]) + 0.3 * sample.features[2] * sample.features[0];
  sample.gap = level > 0.1 ? level : 0.0;
  if (number % 3) sample.plain_gap = std::max(0.0, sample.gap * 2.0 / 3.0 - 0.3 + 0.2 * sample.features[3]);
  return sample;
}

std::vector<GapSample> world(std::uint64_t first, std::uint64_t n) {
  std::vector<GapSample> samples;
  for (std::uint64_t k = first; k < first + n; ++k) samples.push_back(crystal_of(k));
  return samples;
}

TEST(GapModel, predicts_kind_and_gap_of_crystals_it_has_not_seen) {
  const GapModel model(world(0, 160), "potential", "GLLB-SC");

  const GapErrors errors = gap_errors(model, world(1000, 300));

  EXPECT_EQ(errors.n, 300u);
  EXPECT_GT(errors.right, 0.9);
  EXPECT_GT(errors.right, errors.commoner + 0.1);
  EXPECT_LT(errors.log_loss, 0.25);
  EXPECT_LT(errors.mae, 0.5 * errors.mae_of_mean);
  EXPECT_LT(errors.mae_with_plain, 0.5 * errors.mae_of_scaled);
  EXPECT_LT(errors.mae_with_plain, errors.mae);
  EXPECT_NEAR(errors.within_sigma, 0.683, 0.1);
}

TEST(GapModel, cross_validation_foretells_the_errors) {
  const std::vector<GapSample> samples = world(0, 160);
  const GapErrors inside = cross_validated(samples), outside = gap_errors(GapModel(samples, "", ""), world(1000, 300));

  EXPECT_EQ(inside.n, 160u);
  EXPECT_NEAR(inside.mae, outside.mae, 0.35 * outside.mae);
  EXPECT_NEAR(inside.right, outside.right, 0.06);
}

TEST(GapModel, cross_validation_says_where_there_is_too_little_for_it) {
  const std::vector<GapSample> samples = world(0, 9);
  EXPECT_NO_THROW(GapModel(samples, "", ""));
  try {
    cross_validated(samples);
    FAIL() << "no error";
  } catch (const ShapeError& error) {
    EXPECT_NE(std::string(error.what()).find("too few crystals to leave out one part of 5"), std::string::npos) << error.what();
  }
}

TEST(GapModel, cross_validation_does_not_see_the_composition) {
  // Features say only which composition it is, and its two crystals have the same gap: known to whoever has seen the other.
  std::vector<GapSample> samples = world(0, 60);
  for (std::size_t k = 0; k < samples.size(); ++k) {
    Philox random(8, k / 2, 0, 0);
    for (double& feature : samples[k].features) feature = random.normal();
    samples[k].gap = 1.0 + random.uniform();
    samples[k].plain_gap.reset();
  }
  const GapErrors errors = cross_validated(samples);

  EXPECT_GT(errors.mae, 0.8 * errors.mae_of_mean);
  EXPECT_EQ(errors.right, 1.0);
  EXPECT_EQ(errors.n_plain, 0u);
}

TEST(GapModel, far_from_what_it_knows_it_says_so) {
  const GapModel model(world(0, 160), "", "");
  const Eigen::RowVectorXd near = crystal_of(3).features, far = Eigen::RowVectorXd::Constant(6, 40.0);

  EXPECT_GT(model.predict(far).sigma, 3.0 * model.predict(near).sigma);
  EXPECT_GT(model.predict(far).probability, 0.2);
  EXPECT_LT(model.predict(far).probability, 0.97);
}

TEST(GapModel, a_plain_gap_is_a_gap) {
  const GapModel model(world(0, 160), "", "");
  for (std::uint64_t k = 2000; k < 2020; ++k) {
    EXPECT_EQ(model.predict(crystal_of(k).features, 0.4).probability, 1.0);
    EXPECT_EQ(model.predict(crystal_of(k).features, 0.0).probability, model.predict(crystal_of(k).features).probability);
    EXPECT_GE(model.predict(crystal_of(k).features).gap, 0.0);
  }
}

TEST(GapModel, without_metals_the_rate_of_the_samples_is_the_probability) {
  std::vector<GapSample> samples = world(0, 40);
  for (GapSample& sample : samples) sample.gap += 0.5;
  const GapModel model(samples, "", "");

  EXPECT_NEAR(model.predict(samples[0].features).probability, 41.0 / 42.0, 1e-12);
}

TEST(GapModel, features_that_do_not_vary_do_not_matter) {
  std::vector<GapSample> samples = world(0, 60);
  const GapModel plain(samples, "", "");
  for (GapSample& sample : samples) sample.features[5] = 7.0;
  const GapModel model(samples, "", "");
  Eigen::RowVectorXd features = crystal_of(500).features, other = features;
  other[5] = -3.0;

  EXPECT_EQ(model.predict(features).gap, model.predict(other).gap);
  EXPECT_TRUE(std::isfinite(model.predict(features).gap));
}

TEST(GapModel, what_is_too_little_or_wrong_is_refused) {
  std::vector<GapSample> samples = world(0, 40);
  EXPECT_THROW(GapModel(std::span(samples).first(7), "", ""), ShapeError);
  std::vector<GapSample> metals = samples;
  for (GapSample& sample : metals) sample.gap = 0.0;
  EXPECT_THROW(GapModel(metals, "", ""), ShapeError);
  EXPECT_THROW(GapModel(samples, "", "").predict(Eigen::RowVectorXd::Zero(5)), ShapeError);
  samples[3].gap = -0.1;
  EXPECT_THROW(GapModel(samples, "", ""), NumericsError);
  samples[3].gap = 0.1;
  samples[3].features = Eigen::RowVectorXd::Zero(5);
  EXPECT_THROW(GapModel(samples, "", ""), ShapeError);
}

TEST_F(GapModelFile, what_is_read_predicts_the_same) {
  for (const bool metals : {true, false}) {
    std::vector<GapSample> samples = world(0, 60);
    if (!metals)
      for (GapSample& sample : samples) sample.gap += 0.5;
    const GapModel model(samples, "0123", "GLLB-SC");
    model.save(path_);
    const GapModel found = GapModel::load(path_);

    EXPECT_EQ(found.potential(), "0123");
    EXPECT_EQ(found.level(), "GLLB-SC");
    for (std::uint64_t k = 3000; k < 3010; ++k)
      for (const std::optional<double> plain : {std::optional<double>(), std::optional(0.7)}) {
        const GapPrediction a = model.predict(crystal_of(k).features, plain), b = found.predict(crystal_of(k).features, plain);
        EXPECT_EQ(a.probability, b.probability);
        EXPECT_EQ(a.gap, b.gap);
        EXPECT_EQ(a.sigma, b.sigma);
      }
  }
}

TEST_F(GapModelFile, what_was_altered_is_refused) {
  GapModel(world(0, 40), "0123", "GLLB-SC").save(path_);
  const std::string whole = read_file(path_);
  EXPECT_THROW(GapModel::load(folder_ / "nowhere.h5"), FileError);
  for (std::size_t at = 0; at < whole.size(); at += 1 + whole.size() / 150) {
    std::string altered = whole;
    altered[at] = static_cast<char>(altered[at] ^ 0x11);
    write_file_atomically(path_, altered);
    try {
      const GapModel found = GapModel::load(path_);
      EXPECT_EQ(found.predict(crystal_of(5).features).gap, GapModel(world(0, 40), "", "").predict(crystal_of(5).features).gap) << at;
    } catch (const FormatError&) {
    }
    write_file_atomically(path_, whole.substr(0, at));
    EXPECT_THROW(GapModel::load(path_), Error) << at;
  }
}

TEST(CrystalFeatures, are_those_of_the_crystal_and_not_of_its_cell) {
  const auto potential = load_potential(std::string(TAMIZ_SOURCE_DIR) + "/datasets/models/ca-mg-si-n.safetensors", {.dtype = "float64"});
  const Structure small = crystal(Lattice(4.5 * Mat3::Identity()), {{"Mg", {0, 0, 0}}, {"N", {0.5, 0.5, 0.45}}});
  const Mat3 turned = 4.5 * Eigen::AngleAxisd(0.7, Vec3(1, 2, 3).normalized()).toRotationMatrix();
  const Structure rotated = crystal(Lattice(turned), {{"N", {0.6, 0.7, 0.75}}, {"Mg", {0.1, 0.2, 0.3}}});
  Mat3 twice = 4.5 * Mat3::Identity();
  twice.row(0) *= 2.0;
  const Structure large = crystal(Lattice(twice), {{"Mg", {0, 0, 0}}, {"Mg", {0.5, 0, 0}}, {"N", {0.25, 0.5, 0.45}}, {"N", {0.75, 0.5, 0.45}}});
  const Structure other = crystal(Lattice(4.6 * Mat3::Identity()), {{"Mg", {0, 0, 0}}, {"N", {0.5, 0.5, 0.45}}});

  const PointRows features = crystal_features(*potential, std::vector{small, rotated, large, other});

  EXPECT_LT((features.row(0) - features.row(1)).norm(), 1e-9 * features.row(0).norm());
  EXPECT_LT((features.row(0) - features.row(2)).norm(), 1e-9 * features.row(0).norm());
  EXPECT_GT((features.row(0) - features.row(3)).norm(), 1e-3 * features.row(0).norm());
}

}  // namespace
