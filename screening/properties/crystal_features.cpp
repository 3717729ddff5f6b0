#include "tamiz/screening/properties/crystal_features.hpp"

#include <algorithm>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/hash.hpp"

namespace tamiz {
namespace {

constexpr std::size_t k_at_once = 64;  // structures evaluated together: their atoms' descriptors are held for them only

}  // namespace

PointRows crystal_features(const Potential& potential, std::span<const Structure> structures) {
  const Eigen::Index width = potential.capabilities().n_descriptors;
  if (width == 0)
    throw CapabilityError(potential.name() + " offers no descriptors: use a model that `tamiz train` made");
  PointRows features(static_cast<Eigen::Index>(structures.size()), 2 * width);
  for (std::size_t begin = 0; begin < structures.size(); begin += k_at_once) {
    const auto some = structures.subspan(begin, std::min(k_at_once, structures.size() - begin));
    const Prediction p = evaluate(potential, some, {.forces = false, .descriptors = true});
    Eigen::Index atom = 0;
    for (std::size_t k = 0; k < some.size(); ++k) {
      const auto n = static_cast<Eigen::Index>(some[k].size());
      const auto rows = p.descriptors.middleRows(atom, n);
      const Eigen::RowVectorXd mean = rows.colwise().mean();
      const Eigen::RowVectorXd spread = (rows.rowwise() - mean).colwise().squaredNorm() / static_cast<double>(n);
      features.row(static_cast<Eigen::Index>(begin + k)) << mean, spread.cwiseSqrt();
      atom += n;
    }
  }
  return features;
}

std::string potential_hash(const std::filesystem::path& model) { return hash_hex(read_file(model)); }

}  // namespace tamiz
