#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/screening/properties/gaussian_process.hpp"

namespace tamiz {

/// One row per structure: means and standard deviations, over the atoms of its cell, of what a potential knows of their
/// surroundings. Independent of the choice of cell, of the order of the atoms, and of rotations and translations.
/// Throws CapabilityError where the potential offers no descriptors, SpeciesError for elements it does not know.
PointRows crystal_features(const Potential& potential, std::span<const Structure> structures);

/// The same of a prediction of these structures that has descriptors.
PointRows crystal_features(const Prediction& prediction, std::span<const Structure> structures);

/// Scales features so that distances between crystals are near 1 to 2: each has mean 0 and width 1 over the rows that the scale was made of, and
/// all are divided by the root of their number. Features that do not vary there become 0.
class FeatureScale {
 public:
  FeatureScale() = default;
  explicit FeatureScale(const PointRows& rows);
  /// Throws ShapeError for another number of columns.
  PointRows apply(const PointRows& rows) const;

 private:
  Eigen::RowVectorXd center_, factor_;
};

/// Hash of the file of a potential, by which what was made of its descriptors knows it. Throws FileError.
std::string potential_hash(const std::filesystem::path& model);

}  // namespace tamiz
