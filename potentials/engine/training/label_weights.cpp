#include "tamiz/potentials/engine/training/label_weights.hpp"

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/text.hpp"

namespace tamiz {
namespace {

double weight_of(const Frame& frame, const char* key, const std::string& name) {
  const auto found = frame.info.find(key);
  if (found == frame.info.end()) return 1.0;
  const std::string what = name + ": " + key;
  const double weight = parse_double(found->second, what);
  if (weight < 0.0) throw FormatError(what + ": expected a number that is not negative, got '" + found->second + "'");
  return weight;
}

}  // namespace

LabelWeights label_weights(const Frame& frame, const std::string& name) {
  const double all = weight_of(frame, weight_keys::k_all, name);
  return {.energy = all * weight_of(frame, weight_keys::k_energy, name),
          .forces = all * weight_of(frame, weight_keys::k_forces, name),
          .stress = all * weight_of(frame, weight_keys::k_stress, name)};
}

LossWeights weighted(LossWeights weights, const LabelWeights& own) {
  weights.energy *= own.energy;
  weights.forces *= own.forces;
  weights.stress *= own.stress;
  return weights;
}

}  // namespace tamiz
