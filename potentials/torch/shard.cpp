#include "tamiz/potentials/torch/shard.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <map>

#include "tamiz/potentials/engine/equivariance/spherical_harmonics.hpp"

namespace tamiz::torch_engine {
namespace {

at::Tensor index_tensor(const std::vector<std::int32_t>& values) {
  at::Tensor tensor = at::empty({static_cast<std::int64_t>(values.size())}, at::kLong);
  auto* data = tensor.mutable_data_ptr<std::int64_t>();
  for (std::size_t k = 0; k < values.size(); ++k) data[k] = values[k];
  return tensor;
}

/// Centre of every edge.
at::Tensor centres(const Shard& shard) {
  at::Tensor tensor = at::empty({shard.n_edges}, at::kLong);
  auto* data = tensor.mutable_data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < shard.n_atoms; ++i)
    std::fill(data + shard.first[static_cast<std::size_t>(i)], data + shard.first[static_cast<std::size_t>(i) + 1], i);
  return tensor;
}

struct Edge {
  const double* vector;           ///< [Å]
  std::int32_t centre, neighbor;  ///< places of the elements
};

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
  shard.baseline.insert(shard.baseline.end(), structure.baseline.begin(), structure.baseline.end());
  shard.volumes.push_back(structure.volume);
}

template <typename Real>
void fill_edge(const Shard& shard, const ModelDescription& description, const RadialInput& input, std::int64_t e,
               const Edge& edge, std::int32_t* spline_first) {
  const Vec3 vector(edge.vector[0], edge.vector[1], edge.vector[2]);
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
  for (int d = 0; d < 3; ++d) at_edge(shard.vectors, 3)[d] = static_cast<Real>(vector[d]);
  std::array<double, 65> radial{}, slopes{};
  const std::int32_t first = input.at(vector.norm(), edge.centre, edge.neighbor, std::span(radial).first(n_radial),
                                      std::span(slopes).first(n_radial));
  if (spline_first != nullptr) *spline_first = first;
  for (std::size_t k = 0; k < n_radial; ++k) {
    at_edge(shard.radial, n_radial)[k] = static_cast<Real>(radial[k]);
    at_edge(shard.slopes, n_radial)[k] = static_cast<Real>(slopes[k]);
  }
}

/// What tensor operations need besides, and everything onto the device.
void place(Shard& shard, const RadialInput& radial) {
  const c10::Device device = shard.placement.device;
  shard.by_tensors.neighbors = index_tensor(shard.neighbors).to(device);
  if (radial.splined()) shard.by_tensors.spline_first = index_tensor(shard.spline_first).to(device);
  std::map<std::int32_t, std::vector<std::int32_t>> atoms;
  for (std::size_t i = 0; i < shard.elements.size(); ++i) atoms[shard.elements[i]].push_back(static_cast<std::int32_t>(i));
  std::vector<std::int32_t> places(shard.elements.size());
  std::int32_t next = 0;
  for (const auto& [element, of_element] : atoms) {
    shard.by_tensors.atoms_of_elements.emplace_back(element, index_tensor(of_element).to(device));
    for (const std::int32_t atom : of_element) places[static_cast<std::size_t>(atom)] = next++;
  }
  shard.by_tensors.place_by_element = index_tensor(places).to(device);
  for (at::Tensor* tensor : {&shard.element_index, &shard.frame_index, &shard.centre_index, &shard.radial, &shard.slopes,
                             &shard.harmonics, &shard.gradients, &shard.vectors})
    *tensor = tensor->to(device);
}

void fill_edges(Shard& shard, const ModelDescription& description, const RadialInput& input, const EdgeList& structure,
                std::int64_t e) {
  const bool wide = shard.radial.scalar_type() == at::kDouble;
  for (std::size_t i = 0; i < structure.n_atoms(); ++i)
    for (auto k = static_cast<std::size_t>(structure.first[i]); k < static_cast<std::size_t>(structure.first[i + 1]); ++k, ++e) {
      const Edge edge{structure.vectors.data() + 3 * k, structure.elements[i],
                      structure.elements[static_cast<std::size_t>(structure.neighbors[k])]};
      std::int32_t* first = input.splined() ? &shard.spline_first[static_cast<std::size_t>(e)] : nullptr;
      if (wide)
        fill_edge<double>(shard, description, input, e, edge, first);
      else
        fill_edge<float>(shard, description, input, e, edge, first);
    }
}

}  // namespace

std::shared_ptr<const Shard> make_shard(const ModelDescription& description, const RadialInput& radial,
                                        std::span<const EdgeList* const> structures, at::ScalarType dtype,
                                        Placement placement) {
  auto shard = std::make_shared<Shard>();
  shard->placement = placement;
  shard->first.push_back(0);
  shard->n_harmonics = n_harmonics(description.l_max);
  shard->n_radial = radial.width();
  for (const EdgeList* structure : structures) join(*shard, *structure);
  shard->element_index = index_tensor(shard->elements);
  shard->frame_index = index_tensor(shard->frames);
  shard->centre_index = centres(*shard);
  const std::int64_t n = shard->n_edges;
  shard->radial = at::empty({n, shard->n_radial}, dtype);
  shard->slopes = at::empty({n, shard->n_radial}, dtype);
  shard->harmonics = at::empty({n, shard->n_harmonics}, dtype);
  shard->gradients = at::empty({n, 3, shard->n_harmonics}, dtype);
  shard->vectors = at::empty({n, 3}, dtype);
  if (radial.splined()) shard->spline_first.resize(static_cast<std::size_t>(n));
  std::int64_t e = 0;
  for (const EdgeList* structure : structures) {
    fill_edges(*shard, description, radial, *structure, e);
    e += static_cast<std::int64_t>(structure->neighbors.size());
  }
  if (!placement.kernels) place(*shard, radial);
  return shard;
}

}  // namespace tamiz::torch_engine
