#include "tamiz/potentials/torch/torch_trainable.hpp"

#include <ATen/core/grad_mode.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros_like.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <new>
#include <numeric>
#include <string_view>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/parallel.hpp"
#include "tamiz/potentials/torch/loss.hpp"
#include "tamiz/potentials/torch/parameters.hpp"
#include "tamiz/potentials/torch/threads.hpp"

namespace tamiz::torch_engine {
namespace {

/// Pairs whose autograd graph fits the memory and hides the cost of a tensor operation.
constexpr std::size_t k_pairs_per_shard = 6000;

/// Cuts a batch into shards that depend on the frames alone: largest first, always onto the least shard.
std::vector<std::vector<std::size_t>> balance(const std::vector<std::shared_ptr<const EdgeList>>& edges) {
  std::size_t total = 0;
  for (const auto& list : edges) total += list->neighbors.size();
  const std::size_t wanted = std::max<std::size_t>(2, 2 * ((total + 2 * k_pairs_per_shard - 1) / (2 * k_pairs_per_shard)));
  std::vector<std::vector<std::size_t>> shards(std::min(edges.size(), wanted));
  std::vector<std::size_t> loads(shards.size(), 0), order(edges.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return edges[a]->neighbors.size() > edges[b]->neighbors.size();
  });
  for (const std::size_t k : order) {
    const auto least = static_cast<std::size_t>(std::min_element(loads.begin(), loads.end()) - loads.begin());
    shards[least].push_back(k);
    loads[least] += edges[k]->neighbors.size() + 1;
  }
  return shards;
}

void add(at::Tensor& sum, const at::Tensor& part) {
  if (!part.defined()) return;
  sum = sum.defined() ? at::Tensor(sum + part) : part;
}

}  // namespace

TorchTrainable::TorchTrainable(const ModelFile& model, const std::string& dtype, int threads)
    : model_(model.description, dtype_of(dtype)),
      dtype_(dtype),
      threads_(threads > 0 ? threads : available_threads()),
      edges_(model.description),
      values_(flat_parameters(model)) {}

std::vector<ParameterBlock> TorchTrainable::layout() const { return parameter_layout(description()); }

void TorchTrainable::get_parameters(std::span<double> out) const {
  require_parameters(out.size(), values_.size());
  std::copy(values_.begin(), values_.end(), out.begin());
}

void TorchTrainable::set_parameters(std::span<const double> values) {
  require_parameters(values.size(), values_.size());
  values_.assign(values.begin(), values.end());
}

double TorchTrainable::loss_gradient(std::span<const TrainingFrame* const> frames, const LossWeights& weights,
                                     std::span<double> gradient) {
  try {
    return sum_shards(frames, weights, gradient);
  } catch (const c10::Error& error) {
    // The allocator of the CPU has no exception of its own.
    if (std::string_view(error.what()).find("can't allocate memory") != std::string_view::npos) throw std::bad_alloc();
    throw;
  }
}

double TorchTrainable::sum_shards(std::span<const TrainingFrame* const> frames, const LossWeights& weights,
                                  std::span<double> gradient) {
  if (frames.empty()) throw ShapeError("a loss needs at least one frame");
  require_parameters(gradient.size(), values_.size());
  const SingleThreadScope scope;
  std::vector<std::shared_ptr<const EdgeList>> lists;
  for (const TrainingFrame* frame : frames)
    lists.push_back(edges_.edges(frame->frame.structure, frame->frame.structure.content_hash()));
  const auto shards = balance(lists);

  // What all shards share is made once; its gradient is summed over shards and taken back once.
  const at::AutoGradMode mode(true);
  auto parameters = parameter_tensors(model_, values_, model_.dtype());
  for (at::Tensor& parameter : parameters) parameter.requires_grad_(true);
  AppliedWeights applied = model_.apply(parameters);
  AppliedWeights leaves = applied.detached(true);
  std::vector<ShardLoss> losses(shards.size());
  parallel_for(shards.size(), threads_, [&](std::size_t s) {
    const SingleThreadScope inner;
    std::vector<const EdgeList*> pointers;
    std::vector<const TrainingFrame*> members;
    for (const std::size_t k : shards[s]) {
      pointers.push_back(lists[k].get());
      members.push_back(frames[k]);
    }
    const ShardPointer shard = model_.shard(pointers);
    AppliedWeights own = leaves;
    losses[s] = shard_loss(model_, own, shard, members, weights, frames.size());
  });

  double loss = 0.0;
  std::vector<at::Tensor> sums(losses[0].gradients.size());
  for (const ShardLoss& part : losses) {
    loss += part.value;
    const at::NoGradGuard no_gradient;
    for (std::size_t k = 0; k < sums.size(); ++k) add(sums[k], part.gradients[k]);
  }
  const std::vector<at::Tensor> outputs = applied.flat();
  for (std::size_t k = 0; k < sums.size(); ++k)
    if (!sums[k].defined()) sums[k] = at::zeros_like(outputs[k]);
  const auto gradients = torch::autograd::grad(outputs, parameters, sums, false, false, true);
  std::size_t offset = 0;
  for (std::size_t k = 0; k < gradients.size(); ++k) {
    const std::size_t size = model_.parameters()[k].size();
    const auto target = gradient.subspan(offset, size);
    if (gradients[k].defined()) {
      const at::Tensor wide = gradients[k].to(at::kDouble).contiguous();
      std::copy(wide.const_data_ptr<double>(), wide.const_data_ptr<double>() + size, target.begin());
    } else {
      std::fill(target.begin(), target.end(), 0.0);
    }
    offset += size;
  }
  return loss;
}

ModelFile TorchTrainable::to_model_file(const ModelCard& card) const {
  return {description(), card, tensors_of(description(), values_, dtype_)};
}

}  // namespace tamiz::torch_engine
