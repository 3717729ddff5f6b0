#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "tamiz/core/structure/structure.hpp"
#include "tamiz/potentials/engine/edge_list.hpp"
#include "tamiz/potentials/engine/model_description.hpp"
#include "tamiz/potentials/engine/radial/radial_input.hpp"
#include "tamiz/potentials/torch/placement.hpp"

namespace tamiz::torch_engine {

/// Graph and geometry of some structures as the model reads them; lives as long as the autograd graph.
struct Shard {
  Placement placement;
  std::int64_t n_atoms = 0, n_frames = 0, n_edges = 0;
  int n_radial = 0, n_harmonics = 0;
  std::vector<std::int64_t> first;
  std::vector<std::int32_t> neighbors, frames, elements;
  std::vector<std::int32_t> spline_first;  ///< (n_edges); empty where the network is evaluated at every edge
  std::vector<AtomBaseline> baseline;           ///< (n_atoms)
  std::vector<double> volumes;
  at::Tensor element_index, frame_index, centre_index;  ///< int64 for torch: of atoms, atoms and edges
  at::Tensor radial, slopes;                    ///< (n_edges, n_radial) and d/dr
  at::Tensor harmonics, gradients, vectors;     ///< (n_edges, n_harmonics), (n_edges, 3, n_harmonics), (n_edges, 3)
  /// Indices (int64) that only tensor operations read; undefined where kernels work.
  struct ByTensors {
    at::Tensor neighbors, spline_first;  ///< of edges
    std::vector<std::pair<std::int64_t, at::Tensor>> atoms_of_elements;
    at::Tensor place_by_element;         ///< of every atom, where they are sorted by element
  };
  ByTensors by_tensors;
};

/// Joins the structures. Edges at or beyond the cutoff must already be gone.
std::shared_ptr<const Shard> make_shard(const ModelDescription& description, const RadialInput& radial,
                                        std::span<const EdgeList* const> structures, at::ScalarType dtype,
                                        Placement placement = {});

}  // namespace tamiz::torch_engine
