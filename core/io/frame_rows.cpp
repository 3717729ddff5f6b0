#include "tamiz/core/io/frame_rows.hpp"

#include <string>

#include "tamiz/core/base/error.hpp"

namespace tamiz {

void require_rows(const Frame& frame) {
  const auto n = static_cast<Eigen::Index>(frame.structure.size());
  const auto require = [&](Eigen::Index rows, const std::string& what) {
    if (rows != n) throw ShapeError(what + " must have one row for each of the " + std::to_string(n) + " atoms, got " + std::to_string(rows));
  };
  if (frame.labels.forces) require(frame.labels.forces->rows(), "forces");
  for (const auto& [name, array] : frame.arrays) require(array.rows(), "the array " + name);
}

}  // namespace tamiz
