#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tamiz/screening/properties/crystal_features.hpp"
#include "tamiz/screening/properties/gaussian_process.hpp"

namespace tamiz {

/// A crystal whose gap is known.
struct GapSample {
  Eigen::RowVectorXd features;      ///< of `crystal_features`
  std::string group;                ///< left out together where the model is judged and calibrated: its composition
  double gap = 0.0;                 ///< [eV]; 0: a metal
  std::optional<double> plain_gap;  ///< with the functional of the potential's labels, as PBE [eV]; 0: none
};

struct GapPrediction {
  double probability = 0.0;  ///< that there is a gap, 0 to 1
  double gap = 0.0;          ///< if there is one [eV], at least 0
  double sigma = 0.0;        ///< its standard deviation [eV]
};

/// Whether a crystal has a gap, and how large it is, from its structure alone or with a plain gap that is known.
///
/// Metal or not: a Gaussian process on −1 and 1 whose mean and variance, found without the crystal's group, go through
/// Φ((αμ + β)/√(1 + α²σ²)) with α and β of the largest likelihood (Rasmussen and Williams 2006, sec. 6.5). How large: one on
/// the gaps that are there, and where there are enough crystals with a plain gap, another one whose trend is linear in it.
/// Both are calibrated: their σ are scaled so that 68.3 % of the gaps, predicted without their group, lie within.
class GapModel {
 public:
  /// `potential` is the hash of the potential that made the features. Throws ShapeError for fewer than eight samples or
  /// four gaps, or features of different widths; NumericsError for what is not finite.
  GapModel(std::span<const GapSample> samples, std::string potential, std::string level);

  /// A plain gap above 0 says that there is a gap. Throws ShapeError for features of another width.
  GapPrediction predict(const Eigen::RowVectorXd& features, std::optional<double> plain_gap = std::nullopt) const;

  const std::string& potential() const { return potential_; }
  /// Of the gaps it was trained on, as "GLLB-SC".
  const std::string& level() const { return level_; }
  const std::vector<GapSample>& samples() const { return samples_; }
  /// Whether there were enough crystals with both gaps.
  bool knows_plain_gaps() const { return with_plain_.has_value(); }

  /// One HDF5 file, version 1: samples, widths, scales and names. Throws FileError.
  void save(const std::filesystem::path& path) const;
  /// Throws FileError; FormatError for another format or version, or what is not what was written.
  static GapModel load(const std::filesystem::path& path);
  /// Whether a file says that it is one.
  static bool is_one(const std::filesystem::path& path);

 private:
  /// What training finds; a file holds it beside the samples.
  struct Parameters {
    std::optional<GaussianProcess::Widths> kind, structure, plain;
    double alpha = 1.0, beta = 0.0;
    double structure_scale = 1.0, plain_scale = 1.0;
  };

  GapModel(std::vector<GapSample> samples, std::string potential, std::string level, const Parameters* known);
  void fit_kind(const PointRows& points, const Parameters* known);
  void fit_structure(const PointRows& points, const Parameters* known);
  void fit_plain(const PointRows& points, const Parameters* known);

  std::vector<GapSample> samples_;
  std::string potential_, level_;
  FeatureScale scale_;
  Parameters parameters_;
  double base_rate_ = 0.5;  // share of crystals with a gap
  std::optional<GaussianProcess> kind_;  // none where all samples are of one kind
  std::optional<GaussianProcess> from_structure_, with_plain_;
};

}  // namespace tamiz
