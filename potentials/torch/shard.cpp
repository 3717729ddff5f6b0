#include "tamiz/potentials/torch/shard.hpp"

#include <ATen/ops/empty.h>

#include <array>

#include "tamiz/potentials/engine/equivariance/spherical_harmonics.hpp"
#include "tamiz/potentials/engine/radial/bessel.hpp"

namespace tamiz::torch_engine {
namespace {

at::Tensor index_tensor(const std::vector<std::int32_t>& values) {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(values.size())}, at::kLong);
  auto* data = tensor.mutable_data_ptr<std::int64_t>();
  for (std::size_t k = 0; k < values.size(); ++k) data[k] = values[k];
  return tensor;
}

void join(Shard& shard, const EdgeList& structure) {
  const auto frame = static_cast<std::int32_t>(shard.n_frames++);
  const auto offset = static_cast<std::int32_t>(shard.n_atoms);
  for (std::size_t i = 0; i < structure.n_atoms(); ++i) {
    shard.first.push_back(shard.n_edges + structure.first[i + 1]);
    shard.frames.push_back(frame);
    shard.elements.push_back(structure.elements[i]);
  }
  for (const std::int32_t j : structure.neighbors) shard.neighbors.push_back(j + offset);
  shard.n_atoms += static_cast<std::int64_t>(structure.n_atoms());
  shard.n_edges += static_cast<std::int64_t>(structure.neighbors.size());
  shard.repulsion.insert(shard.repulsion.end(), structure.repulsion.begin(), structure.repulsion.end());
  shard.volumes.push_back(structure.volume);
}

template <typename Real>
void fill_edge(const Shard& shard, const ModelDescription& description, const RadialSpline* spline, std::int64_t e,
               const double* v, std::int32_t* spline_first) {
  const Vec3 vector(v[0], v[1], v[2]);
  const double length = vector.norm();
  const auto n_harmonics = static_cast<std::size_t>(shard.n_harmonics), n_radial = static_cast<std::size_t>(shard.n_radial);
  std::array<double, 49> values{};
  std::array<double, 147> gradients{};
  // MACE's edge vectors point from the neighbour to the centre.
  spherical_harmonics(-vector, description.l_max, std::span(values).first(n_harmonics), std::span(gradients).first(3 * n_harmonics));
  const auto at_edge = [e](const at::Tensor& tensor, std::size_t width) {
    return tensor.mutable_data_ptr<Real>() + e * static_cast<std::int64_t>(width);
  };
  Real* y = at_edge(shard.harmonics, n_harmonics);
  Real* dy = at_edge(shard.gradients, 3 * n_harmonics);
  for (std::size_t k = 0; k < n_harmonics; ++k) {
    y[k] = static_cast<Real>(values[k]);
    for (std::size_t d = 0; d < 3; ++d) dy[d * n_harmonics + k] = static_cast<Real>(-gradients[3 * k + d]);
  }
  for (int d = 0; d < 3; ++d) at_edge(shard.vectors, 3)[d] = static_cast<Real>(v[d]);
  std::array<double, 64> radial{}, slopes{};
  if (spline != nullptr) {
    const RadialSpline::Weights weights = spline->at(length);
    *spline_first = weights.first;
    std::copy(weights.values.begin(), weights.values.end(), radial.begin());
    std::copy(weights.slopes.begin(), weights.slopes.end(), slopes.begin());
  } else {
    bessel_basis(length, description.cutoff, description.envelope_power, std::span(radial).first(n_radial),
                 std::span(slopes).first(n_radial));
  }
  for (std::size_t k = 0; k < n_radial; ++k) {
    at_edge(shard.radial, n_radial)[k] = static_cast<Real>(radial[k]);
    at_edge(shard.slopes, n_radial)[k] = static_cast<Real>(slopes[k]);
  }
}

}  // namespace

std::shared_ptr<const Shard> make_shard(const ModelDescription& description, const RadialSpline* spline,
                                        std::span<const EdgeList* const> structures, at::ScalarType dtype) {
  auto shard = std::make_shared<Shard>();
  shard->first.push_back(0);
  shard->n_harmonics = n_harmonics(description.l_max);
  shard->n_radial = spline != nullptr ? 4 : description.n_radial;
  for (const EdgeList* structure : structures) join(*shard, *structure);
  shard->element_index = index_tensor(shard->elements);
  shard->frame_index = index_tensor(shard->frames);
  const std::int64_t n = shard->n_edges;
  shard->radial = at::empty({n, shard->n_radial}, dtype);
  shard->slopes = at::empty({n, shard->n_radial}, dtype);
  shard->harmonics = at::empty({n, shard->n_harmonics}, dtype);
  shard->gradients = at::empty({n, 3, shard->n_harmonics}, dtype);
  shard->vectors = at::empty({n, 3}, dtype);
  if (spline != nullptr) shard->spline_first.resize(static_cast<std::size_t>(n));
  std::int64_t e = 0;
  for (const EdgeList* structure : structures)
    for (std::size_t k = 0; k < structure->neighbors.size(); ++k, ++e) {
      std::int32_t* place = spline != nullptr ? &shard->spline_first[static_cast<std::size_t>(e)] : nullptr;
      const double* vector = structure->vectors.data() + 3 * k;
      if (dtype == at::kDouble)
        fill_edge<double>(*shard, description, spline, e, vector, place);
      else
        fill_edge<float>(*shard, description, spline, e, vector, place);
    }
  return shard;
}

}  // namespace tamiz::torch_engine
