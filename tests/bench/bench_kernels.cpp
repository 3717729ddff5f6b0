#include <benchmark/benchmark.h>

#include "bench_models.hpp"
#include "bench_peak.hpp"
#include "tamiz/potentials/engine/kernels/fused.hpp"
#include "tamiz/potentials/engine/mace/aligned_buffer.hpp"

namespace {

using namespace tamiz;
using namespace tamiz::bench;
using mace::AlignedBuffer;

constexpr int k_channels = 128, k_edges = 48, k_nodes = 130;

AlignedBuffer<float> random_numbers(std::size_t n) {
  AlignedBuffer<float> buffer(n);
  Philox random(1, streams::k_initial_weights, n, 0);
  for (std::size_t k = 0; k < n; ++k) buffer.data()[k] = static_cast<float>(0.1 * random.normal());
  return buffer;
}

/// Rows of channels times a matrix; the matrix stays in the cache of the second level.
void multiply(benchmark::State& state) {
  const auto rows = static_cast<std::size_t>(state.range(0));
  const auto x = random_numbers(rows * k_channels), matrix = random_numbers(k_channels * k_channels);
  AlignedBuffer<float> y(rows * k_channels);
  std::vector<const float*> from;
  std::vector<float*> to;
  for (std::size_t r = 0; r < rows; ++r) {
    from.push_back(x.data() + r * k_channels);
    to.push_back(y.data() + r * k_channels);
  }
  for (auto _ : state)
    kernels::fused_table<float>().multiply({static_cast<std::int64_t>(rows), k_channels, k_channels, from.data(),
                                            to.data(), matrix.data(), false, nullptr});
  count_operations(state, static_cast<double>(rows) * k_channels * k_channels, sizeof(float) * k_channels * k_channels);
}
BENCHMARK(multiply)->ArgName("rows")->Arg(1)->Arg(3)->Arg(8)->Arg(24)->Arg(56);

/// One atom with random edges.
struct Neighborhood {
  explicit Neighborhood(int input_l)
      : plan(input_l, 3, k_channels),
        stride(mace::odd_lines<float>(plan.paths.size() * k_channels)),
        weights(random_numbers(k_edges * (12 + 16))),
        factors(random_numbers(static_cast<std::size_t>(k_edges * plan.n_links))),
        table(random_numbers((k_nodes + 4) * stride)),
        features(random_numbers(k_edges * 10 * k_channels)),
        output_stride(mace::odd_lines<float>(plan.sum_size)),
        outputs(random_numbers(k_edges * output_stride)),
        gradients(random_numbers(k_edges * 48)),
        sum(plan.sum_size),
        d_features(10 * k_channels),
        d_vectors(3 * k_edges),
        scratch(static_cast<std::size_t>(16 * plan.n_links)) {
    for (std::size_t e = 0; e < k_edges; ++e) {
      const std::size_t group = e / 16 * 16, lane = e % 16;
      edges.push_back({weights.data() + group * 28 + lane,
                       factors.data() + group * static_cast<std::size_t>(plan.n_links) + lane,
                       table.data() + (37 * e % k_nodes) * stride, features.data() + e * 10 * k_channels,
                       outputs.data() + e * output_stride, gradients.data() + group * 48 + lane});
    }
  }

  mace::ConvolutionPlan<float> plan;
  std::size_t stride;
  AlignedBuffer<float> weights, factors, table, features;
  std::size_t output_stride;
  AlignedBuffer<float> outputs, gradients, sum, d_features, d_vectors, scratch;
  std::vector<kernels::EdgeView<float>> edges;

  /// That an edge reads and shares with no other: four rows of the table and the features of its neighbour.
  double bytes_of_edge(int input_l) const {
    return sizeof(float) * k_channels * (4.0 * static_cast<double>(plan.paths.size()) + (input_l + 1) * (input_l + 1));
  }
};

void convolve(benchmark::State& state) {
  Neighborhood n(static_cast<int>(state.range(0)));
  for (auto _ : state)
    kernels::fused_table<float>().convolve({k_edges, k_channels, static_cast<std::int64_t>(n.stride), n.edges.data(),
                                            static_cast<std::int32_t>(n.plan.paths.size()), n.plan.paths.data(),
                                            n.sum.data()});
  double each = n.plan.n_links;
  for (const auto& path : n.plan.paths) each += 4 + 2 * path.l1 + 1;
  count_operations(state, each * k_edges * k_channels, k_edges * n.bytes_of_edge(static_cast<int>(state.range(0))));
}
BENCHMARK(convolve)->ArgName("l")->Arg(0)->Arg(1)->Arg(2);

void convolve_reverse(benchmark::State& state) {
  Neighborhood n(static_cast<int>(state.range(0)));
  for (auto _ : state)
    kernels::fused_table<float>().convolve_reverse(
        {k_edges, k_channels, static_cast<std::int64_t>(n.stride), n.edges.data(),
         static_cast<std::int32_t>(n.plan.paths.size()), 16, n.plan.n_rows, n.plan.paths.data(), n.plan.opposite.by_harmonic.data(),
         n.plan.opposite.begin.data(), n.d_features.data(), n.d_vectors.data(), n.scratch.data()});
  double each = 2.0 * n.plan.n_links;
  for (const auto& path : n.plan.paths) each += 9 + 3 * (2 * path.l1 + 1);
  // Derivatives by the sum of the neighbour are read, too.
  const double outputs = sizeof(float) * static_cast<double>(n.plan.sum_size);
  count_operations(state, each * k_edges * k_channels,
                   k_edges * (n.bytes_of_edge(static_cast<int>(state.range(0))) + outputs));
}
BENCHMARK(convolve_reverse)->ArgName("l")->Arg(0)->Arg(1)->Arg(2);

void contract_gradient(benchmark::State& state) {
  const mace::ContractionPlan plan(3, static_cast<int>(state.range(0)), 3, k_channels);
  const auto x = random_numbers(16 * k_channels), coefficients = random_numbers(plan.coefficients.size() * k_channels);
  AlignedBuffer<float> f(9 * k_channels), gradient(16 * k_channels);
  for (auto _ : state)
    kernels::fused_table<float>().contract_gradient(
        {plan.n_outputs, plan.n_inputs, k_channels, static_cast<std::int64_t>(plan.coefficients.size()),
         plan.nodes.data(), plan.leaves.data(), coefficients.data(), x.data(), nullptr, f.data(), gradient.data()});
  state.counters["coefficients"] = static_cast<double>(plan.coefficients.size());
  const auto n = static_cast<double>(plan.coefficients.size());
  count_operations(state, 2.0 * n * k_channels, sizeof(float) * n * k_channels);
}
BENCHMARK(contract_gradient)->ArgName("L")->Arg(0)->Arg(1)->Arg(2);

}  // namespace
