#include "tamiz/potentials/engine/model_parameters.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/philox.hpp"
#include "tamiz/potentials/engine/equivariance/symmetric_basis.hpp"

namespace tamiz {
namespace {

std::string numbered(const std::string& block, std::size_t t, const std::string& rest) {
  return block + "." + std::to_string(t) + "." + rest;
}

double inverse_root(std::int64_t n) { return 1.0 / std::sqrt(static_cast<double>(n)); }

class Builder {
 public:
  explicit Builder(const ModelDescription& description)
      : d_(description), channels_(description.channels), elements_(static_cast<std::int64_t>(description.elements.size())) {}

  std::vector<ParameterSpec> build() {
    add_of_elements("node_embedding", {channels_}, inverse_root(elements_));
    const auto shapes = interaction_shapes(d_);
    for (std::size_t t = 0; t < shapes.size(); ++t) {
      add_interaction(t, shapes[t]);
      add_product(t, shapes[t]);
      add_readout(t, t + 1 == shapes.size());
    }
    return std::move(specs_);
  }

 private:
  void add(std::string name, std::vector<std::int64_t> shape, double factor, bool decays = false, double initial = 1.0) {
    specs_.push_back({std::move(name), std::move(shape), factor, initial, decays, false});
  }

  void add_of_elements(std::string name, std::vector<std::int64_t> shape, double factor, bool decays = false, double initial = 1.0) {
    shape.insert(shape.begin(), elements_);
    add(std::move(name), std::move(shape), factor, decays, initial);
    specs_.back().by_element = true;
  }

  void add_interaction(std::size_t t, const InteractionShape& shape) {
    const auto paths = coupling_paths(shape.input_l, d_.l_max, d_.l_max);
    const auto slots = slots_per_l(paths, d_.l_max);
    for (int l = 0; l <= shape.input_l; ++l)
      add(numbered("interactions", t, "linear_up." + std::to_string(l)), {channels_, channels_}, inverse_root(channels_));
    std::vector<std::int64_t> widths{d_.n_radial};
    widths.insert(widths.end(), d_.radial_mlp.begin(), d_.radial_mlp.end());
    widths.push_back(static_cast<std::int64_t>(paths.size()) * channels_);
    for (std::size_t k = 0; k + 1 < widths.size(); ++k)
      add(numbered("interactions", t, "radial." + std::to_string(k)), {widths[k], widths[k + 1]}, inverse_root(widths[k]));
    if (shape.density) add(numbered("interactions", t, "density"), {d_.n_radial, 1}, inverse_root(d_.n_radial));
    for (int l = 0; l <= d_.l_max; ++l) {
      const std::int64_t n_in = slots[static_cast<std::size_t>(l)] * channels_;
      add(numbered("interactions", t, "linear." + std::to_string(l)), {n_in, channels_}, inverse_root(n_in), true);
    }
    // The skip product acts on the message where there is no residual, else on the features that enter.
    const int skip_l = shape.residual ? std::min(shape.input_l, shape.output_l) : d_.l_max;
    for (int l = 0; l <= skip_l; ++l)
      add_of_elements(numbered("interactions", t, "skip." + std::to_string(l)), {channels_, channels_},
                      inverse_root(channels_ * elements_), true);
  }

  void add_product(std::size_t t, const InteractionShape& shape) {
    for (int l = 0; l <= shape.output_l; ++l) {
      for (int order = 1; order <= d_.correlation; ++order) {
        const std::int64_t maps = symmetric_basis(order, d_.l_max, l).n_maps;
        add_of_elements(numbered("products", t, "contraction." + std::to_string(l) + "." + std::to_string(order)),
                        {maps, channels_}, 1.0, true, maps > 0 ? 1.0 / static_cast<double>(maps) : 1.0);
      }
      add(numbered("products", t, "linear." + std::to_string(l)), {channels_, channels_}, inverse_root(channels_));
    }
  }

  void add_readout(std::size_t t, bool last) {
    if (!last || t == 0) {
      add(numbered("readouts", t, "linear"), {channels_, d_.n_members}, inverse_root(channels_));
      return;
    }
    add(numbered("readouts", t, "hidden"), {channels_, d_.readout_hidden}, inverse_root(channels_));
    add(numbered("readouts", t, "out"), {d_.readout_hidden, d_.n_members}, inverse_root(d_.readout_hidden));
  }

  const ModelDescription& d_;
  std::int64_t channels_, elements_;
  std::vector<ParameterSpec> specs_;
};

double value_at(const Tensor& tensor, std::size_t k) {
  if (tensor.dtype == "float64") {
    double value;
    std::memcpy(&value, tensor.bytes.data() + 8 * k, 8);
    return value;
  }
  float value;
  std::memcpy(&value, tensor.bytes.data() + 4 * k, 4);
  return static_cast<double>(value);
}

}  // namespace

std::size_t ParameterSpec::size() const {
  std::size_t count = 1;
  for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
  return count;
}

std::vector<InteractionShape> interaction_shapes(const ModelDescription& description) {
  std::vector<InteractionShape> shapes;
  for (int t = 0; t < description.n_interactions; ++t) {
    const bool last = t + 1 == description.n_interactions;
    const bool named = !description.blocks.empty();
    const std::string block = named ? description.blocks[static_cast<std::size_t>(t)] : "";
    shapes.push_back({.input_l = t == 0 ? 0 : description.hidden_l,
                      .output_l = last ? 0 : description.hidden_l,
                      .residual = named ? block.ends_with("Residual") : t > 0,
                      .density = block.find("Density") != std::string::npos});
  }
  return shapes;
}

std::vector<ParameterSpec> model_parameters(const ModelDescription& description) { return Builder(description).build(); }

ModelFile initial_model(const ModelDescription& description, std::uint64_t seed) {
  const auto specs = model_parameters(description);
  std::vector<double> values;
  for (std::size_t k = 0; k < specs.size(); ++k) {
    Philox random(seed, streams::k_initial_weights, k, 0);
    for (std::size_t n = 0; n < specs[k].size(); ++n) values.push_back(specs[k].initial_scale * random.normal());
  }
  return {description, {}, tensors_of(description, values, "float64")};
}

std::vector<double> flat_parameters(const ModelFile& model) {
  std::map<std::string, const Tensor*> by_name;
  for (const Tensor& tensor : model.tensors) by_name[tensor.name] = &tensor;
  std::vector<double> values;
  for (const ParameterSpec& spec : model_parameters(model.description)) {
    const auto found = by_name.find(spec.name);
    if (found == by_name.end()) throw FormatError("the model lacks the tensor '" + spec.name + "'");
    const Tensor& tensor = *found->second;
    if (tensor.shape != spec.shape) throw FormatError("tensor '" + spec.name + "' has another shape than the description asks for");
    for (std::size_t k = 0; k < spec.size(); ++k) {
      values.push_back(value_at(tensor, k));
      if (!std::isfinite(values.back())) throw FormatError("tensor '" + spec.name + "' holds a value that is not finite");
    }
    by_name.erase(found);
  }
  if (!by_name.empty()) throw FormatError("the model has the unknown tensor '" + by_name.begin()->first + "'");
  return values;
}

std::vector<Tensor> tensors_of(const ModelDescription& description, const std::vector<double>& values,
                               const std::string& dtype) {
  std::vector<Tensor> tensors;
  std::size_t offset = 0;
  for (const ParameterSpec& spec : model_parameters(description)) {
    Tensor tensor{spec.name, spec.shape, dtype, {}};
    for (std::size_t k = 0; k < spec.size(); ++k) {
      const double wide = values.at(offset + k);
      const auto narrow = static_cast<float>(wide);
      tensor.bytes.append(dtype == "float64" ? reinterpret_cast<const char*>(&wide) : reinterpret_cast<const char*>(&narrow),
                          dtype == "float64" ? 8 : 4);
    }
    offset += spec.size();
    tensors.push_back(std::move(tensor));
  }
  std::sort(tensors.begin(), tensors.end(), [](const Tensor& a, const Tensor& b) { return a.name < b.name; });
  return tensors;
}

}  // namespace tamiz
