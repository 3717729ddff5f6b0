#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tamiz/core/base/error.hpp"
#include "tamiz/screening/oracle/worker_oracle.hpp"

namespace tamiz {
namespace {

namespace fs = std::filesystem;

/// Real workers with real ASE calculators.
class AseOracle : public testing::Test {
 protected:
  void SetUp() override {
    ::setenv("TAMIZ_PYTHON", TAMIZ_PYTHON, 1);
    ::setenv("PYTHONPATH", TAMIZ_TEST_DATA "/screening/oracle/workers", 1);
    const auto* test = testing::UnitTest::GetInstance()->current_test_info();
    scratch = fs::temp_directory_path() / ("tamiz-ase-" + std::string(test->name()) + "-" + std::to_string(::getpid()));
  }
  void TearDown() override { fs::remove_all(scratch); }

  LabelResult label(const std::string& factory, const LabelRequest& request) const {
    const auto oracle = make_ase_oracle(factory, 1, scratch);
    oracle->submit(request);
    for (int k = 0; k < 60; ++k)
      for (auto& [ticket, result] : oracle->poll(1.0)) return std::move(result);
    ADD_FAILURE() << "no answer within a minute";
    return {};
  }

  fs::path scratch;
};

LabelRequest request(const Structure& structure, LabelTask task = LabelTask::single_point, const std::string& settings = "{}") {
  return {.id = "x", .structure = structure, .task = task, .level = "", .settings = settings, .timeout = 60.0};
}

Structure argon_pair(double distance) {
  Coordinates positions(2, 3);
  positions << 0, 0, 0, 0, 0, distance;
  return {Lattice(), k_molecule, {Element(18), Element(18)}, Cartesian{positions}};
}

Structure aluminium(double a) {
  Mat3 cell;
  cell << 0, a / 2, a / 2, a / 2, 0, a / 2, a / 2, a / 2, 0;
  return {Lattice(cell), k_periodic, {Element(13)}, Cartesian{Coordinates::Zero(1, 3)}};
}

// ASE's Lennard-Jones is smooth=False, shifted at the cutoff of 3 σ: E = 4ε[(σ/r)¹² − (σ/r)⁶] − E(3σ).
TEST_F(AseOracle, has_the_closed_form_of_two_atoms) {
  const double r = 1.2, epsilon = 0.7, s6 = std::pow(1.0 / r, 6), c6 = std::pow(1.0 / 3.0, 6);

  const LabelResult result =
      label("ase.calculators.lj:LennardJones", request(argon_pair(r), LabelTask::single_point, R"({"kwargs":{"epsilon":0.7}})"));

  ASSERT_EQ(result.status, LabelStatus::finished) << result.reason;
  const Labels& labels = result.frame->labels;
  EXPECT_NEAR(*labels.energy, 4 * epsilon * (s6 * s6 - s6 - c6 * c6 + c6), 1e-12);
  EXPECT_EQ(*labels.free_energy, *labels.energy);
  const double force = 24 * epsilon / r * (2 * s6 * s6 - s6);
  EXPECT_NEAR((*labels.forces)(1, 2), force, 1e-12);
  EXPECT_NEAR((*labels.forces)(0, 2), -force, 1e-12);
  EXPECT_FALSE(labels.stress) << "a molecule has none";
  EXPECT_GT(result.cost, 0.0);
}

TEST_F(AseOracle, relaxes_aluminium_to_its_lattice_constant) {
  const LabelResult result =
      label("ase.calculators.emt:EMT", request(aluminium(4.2), LabelTask::relax, R"({"relax":{"smax_gpa":0.01,"fmax":0.001}})"));

  ASSERT_EQ(result.status, LabelStatus::finished) << result.reason;
  // 3.99 Å: lattice constant that ASE's EMT was fitted to for Al (its parameter s0).
  EXPECT_NEAR(std::cbrt(4.0 * result.frame->structure.lattice().volume()), 3.99, 0.01);
  EXPECT_LT(result.frame->labels.stress->cwiseAbs().maxCoeff() * 160.21766, 0.01);
  const auto properties = nlohmann::json::parse(result.properties);
  EXPECT_EQ(result.trajectory.size(), properties.at("relax_steps").get<std::size_t>()) << "each geometry once";
  ASSERT_FALSE(result.trajectory.empty());
  EXPECT_EQ(result.trajectory.front().structure.content_hash(), aluminium(4.2).content_hash());
  EXPECT_GT(*result.trajectory.front().labels.energy, *result.frame->labels.energy);
}

TEST_F(AseOracle, a_relaxation_without_end_fails_and_keeps_its_way) {
  const LabelResult result =
      label("ase.calculators.emt:EMT", request(aluminium(4.6), LabelTask::relax, R"({"relax":{"max_steps":1}})"));

  EXPECT_EQ(result.status, LabelStatus::failed);
  EXPECT_EQ(result.reason, "relaxation not converged after 1 steps");
  EXPECT_EQ(result.trajectory.size(), 2U);
}

TEST_F(AseOracle, a_chatty_calculator_does_not_break_the_protocol) {
  const LabelResult result = label("odd_calculator:Chatty", request(argon_pair(1.2)));

  EXPECT_EQ(result.status, LabelStatus::finished) << result.reason;
}

TEST_F(AseOracle, errors_of_a_calculator_are_failed_labels) {
  EXPECT_EQ(label("odd_calculator:fails", request(argon_pair(1.2))).reason, "RuntimeError: no such pseudopotential");
  EXPECT_NE(label("odd_calculator:NotANumber", request(argon_pair(1.2))).reason.find("ValueError"), std::string::npos);
  EXPECT_NE(label("ase.calculators.emt:EMT", request(argon_pair(1.2))).reason.find("Ar"), std::string::npos);
  EXPECT_NE(label("ase.calculators.emt:EMT", request(aluminium(4.0), LabelTask::gap)).reason.find("no band gap"), std::string::npos);
  EXPECT_NE(label("ase.calculators.emt:EMT", request(aluminium(4.0), LabelTask::relax, R"({"relax":{"fmx":1}})")).reason.find("unknown relax settings fmx"),
            std::string::npos);
}

TEST_F(AseOracle, says_what_is_wrong_with_a_factory) {
  const auto message = [&](const std::string& factory) {
    try {
      make_ase_oracle(factory, 1, scratch);
    } catch (const OracleError& error) {
      return std::string(error.what());
    }
    return std::string();
  };

  EXPECT_NE(message("ase.calculators.emt").find("expected an ASE calculator as module:callable"), std::string::npos);
  EXPECT_NE(message("no_such_module:X").find("No module named 'no_such_module'"), std::string::npos);
  EXPECT_NE(message("ase.calculators.emt:EMTT").find("has no callable EMTT"), std::string::npos);
}

TEST_F(AseOracle, the_python_that_was_asked_for_must_exist) {
  ::setenv("TAMIZ_PYTHON", "/no/such/python", 1);

  EXPECT_THROW(worker_python(), OracleError);
}

}  // namespace
}  // namespace tamiz
