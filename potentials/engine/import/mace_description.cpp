#include "tamiz/potentials/engine/import/mace_description.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/engine/equivariance/spherical_harmonics.hpp"
#include "tamiz/potentials/engine/import/e3nn_modules.hpp"
#include "tamiz/potentials/engine/import/irreps.hpp"
#include "tamiz/potentials/engine/radial/pair_repulsion.hpp"

namespace tamiz::importer {
namespace {

constexpr double k_rounded = 1e-6;  ///< relative; constants of a float32 model

[[noreturn]] void unsupported(const Record& record, const std::string& what) {
  throw CapabilityError((record.path().empty() ? "the model" : record.path()) + " " + what +
                        ", which is not supported");
}

void require_close(const Record& record, double value, double expected) {
  if (!(std::abs(value - expected) <= k_rounded * std::abs(expected)))
    unsupported(record, "is " + std::to_string(value) + " instead of " + std::to_string(expected));
}

bool flag(const Record& record, const std::string& name, bool otherwise) {
  const auto found = record.find(name);
  return found ? found->boolean() : otherwise;
}

class Reader {
 public:
  Reader(const TorchCheckpoint& file, const Record& model, const Heads& heads)
      : file_(file),
        model_(model),
        heads_(heads),
        interactions_(model.at("interactions").children()),
        products_(model.at("products").children()),
        readouts_(model.at("readouts").children()) {}

  ModelDescription read() {
    require_known_options();
    read_elements();
    read_radial();
    read_shape();
    read_contractions();
    read_readouts();
    read_scales();
    read_repulsion();
    return std::move(d_);
  }

 private:
  double number(const Record& record) const { return scalar(file_, record); }
  int whole(const Record& record) const {
    const double value = number(record);
    if (value != std::floor(value) || std::abs(value) > 1e6)
      record.fail("is " + std::to_string(value) + ", expected a small integer");
    return static_cast<int>(value);
  }
  /// The value of the chosen head where there is one per head, else the only one.
  double of_head(const Record& record) const {
    const StoredTensor tensor = file_.tensor(record);
    if (tensor.values.size() != 1 && tensor.values.size() != heads_.size())
      record.fail("has " + std::to_string(tensor.values.size()) + " values for " + std::to_string(heads_.size()) +
                  " heads");
    return tensor.values[tensor.values.size() == 1 ? 0 : heads_.chosen];
  }

  void require_known_options() const {
    for (const char* name : {"joint_embedding", "embedding_readout", "embedding_specs", "edge_irreps"})
      if (const auto found = model_.find(name)) unsupported(*found, "is set");
    if (flag(model_, "use_so3", false)) unsupported(model_.at("use_so3"), "is set");
  }

  void read_elements() {
    const StoredTensor numbers = file_.tensor(model_.at("atomic_numbers"));
    if (numbers.values.empty() || numbers.values.size() > 118)
      model_.at("atomic_numbers").fail("is no list of elements");
    for (const double number : numbers.values) {
      if (!(number >= 1.0 && number <= 118.0)) model_.at("atomic_numbers").fail("holds a number that is no element");
      d_.elements.emplace_back(static_cast<int>(number));
    }
    const std::size_t n = d_.elements.size();
    const Record energies = model_.at("atomic_energies_fn").at("atomic_energies");
    const StoredTensor table = file_.tensor(energies);
    if (table.values.size() != n && table.values.size() != n * heads_.size())
      energies.fail("has " + std::to_string(table.values.size()) + " values for " + std::to_string(n) +
                    " elements and " + std::to_string(heads_.size()) + " heads");
    const auto row =
        table.values.begin() + static_cast<std::ptrdiff_t>(table.values.size() == n ? 0 : n * heads_.chosen);
    d_.atomic_energies.assign(row, row + static_cast<std::ptrdiff_t>(n));
  }

  void read_radial() {
    d_.cutoff = number(model_.at("r_max"));
    const Record embedding = model_.at("radial_embedding"), basis = embedding.at("bessel_fn"),
                 envelope = embedding.at("cutoff_fn");
    require_type(embedding, "mace.modules.blocks.RadialEmbeddingBlock");
    require_type(envelope, "mace.modules.radial.PolynomialCutoff");
    d_.envelope_power = whole(envelope.at("p"));
    require_close(envelope.at("r_max"), number(envelope.at("r_max")), d_.cutoff);
    d_.envelope_on_weights = !flag(embedding, "apply_cutoff", true);
    const bool gaussian = basis.type() == "mace.modules.radial.GaussianBasis";
    if (!gaussian) require_type(basis, "mace.modules.radial.BesselBasis");
    d_.radial_basis = gaussian ? "gaussian" : "bessel";
    d_.radial_points = file_.tensor(basis.at(gaussian ? "gaussian_weights" : "bessel_weights")).values;
    if (d_.radial_points.size() < 1 || d_.radial_points.size() > 4096) basis.fail("has no functions, or too many");
    d_.n_radial = static_cast<int>(d_.radial_points.size());
    if (gaussian)
      require_close(basis.at("coeff"), basis.at("coeff").real(), -0.5 * std::pow((d_.n_radial - 1) / d_.cutoff, 2));
    else
      require_close(basis.at("prefactor"), number(basis.at("prefactor")), std::sqrt(2.0 / d_.cutoff));
    if (const auto transform = embedding.find("distance_transform")) read_transform(*transform);
  }

  void read_transform(const Record& transform) {
    require_covalent_radii(transform);
    if (transform.type() == "mace.modules.radial.AgnesiTransform") {
      d_.distance_transform = "agnesi";
      d_.transform_parameters = {number(transform.at("q")), number(transform.at("p")), number(transform.at("a"))};
      return;
    }
    require_type(transform, "mace.modules.radial.SoftTransform");
    d_.distance_transform = "soft";
    d_.transform_parameters = {number(transform.at("alpha"))};
  }

  void require_covalent_radii(const Record& module) const {
    const Record table = module.at("covalent_radii");
    const StoredTensor radii = file_.tensor(table);
    for (const Element element : d_.elements) {
      const auto z = static_cast<std::size_t>(element.number());
      if (z >= radii.values.size()) table.fail("has no value for " + std::string(element.symbol()));
      require_close(table, radii.values[z], element.covalent_radius());
    }
  }

  void read_shape() {
    const std::size_t n = interactions_.size();
    if (n < 1 || n > 8 || products_.size() != n)
      model_.fail("has " + std::to_string(n) + " interactions and " + std::to_string(products_.size()) +
                  " products, expected as many of both, 1 to 8");
    d_.n_interactions = static_cast<int>(n);
    const Record harmonics = model_.at("spherical_harmonics");
    require_type(harmonics, "e3nn.o3._spherical_harmonics.SphericalHarmonics");
    if (!harmonics.at("normalize").boolean() || harmonics.at("normalization").text() != "component")
      unsupported(harmonics, "has another normalisation than 'component'");
    d_.l_max = largest_l(harmonics.at("irreps_out"), 1);
    const Record embedding = model_.at("node_embedding").at("linear").at("irreps_out");
    const auto scalars = irreps_of(embedding);
    if (scalars.size() != 1 || scalars[0].mul > 4096) embedding.fail("is not one kind of scalars");
    d_.channels = static_cast<int>(scalars[0].mul);
    d_.hidden_l = n > 1 ? largest_l(products_[0].at("linear").at("irreps_out"), d_.channels) : 0;
    if (d_.hidden_l > 2) unsupported(products_[0].at("linear").at("irreps_out"), "has l above 2");
    d_.radial_nodes = 0;  // what was trained is the network
    d_.n_members = 1;
    for (std::size_t t = 0; t < n; ++t) read_interaction(t);
  }

  void read_interaction(std::size_t t) {
    const Record& interaction = interactions_[t];
    const bool last = t + 1 == interactions_.size();
    const int output_l = largest_l(products_[t].at("linear").at("irreps_out"), d_.channels);
    if (output_l != (last ? 0 : d_.hidden_l))
      unsupported(products_[t], "makes features up to l = " + std::to_string(output_l));
    static constexpr std::string_view suffix = "InteractionBlock";
    static const std::array<std::string, 4> known{"RealAgnostic", "RealAgnosticResidual", "RealAgnosticDensity",
                                                  "RealAgnosticDensityResidual"};
    const std::string type = interaction.type();
    const auto block = std::find_if(known.begin(), known.end(), [&](const std::string& name) {
      return type == "mace.modules.blocks." + name + std::string(suffix);
    });
    if (block == known.end()) unsupported(interaction, "is of class '" + type + "'");
    d_.blocks.push_back(*block);
    if (const auto acceleration = interaction.find("cueq_config");
        acceleration && flag(*acceleration, "enabled", false))
      unsupported(*acceleration, "is enabled, so that weights lie in another order: export the model to e3nn first");
    const double neighbors = number(interaction.at("avg_num_neighbors"));
    if (t > 0 && neighbors != d_.average_neighbors)
      unsupported(interaction.at("avg_num_neighbors"), "differs from that of the first interaction");
    d_.average_neighbors = neighbors;
    read_network(t, interaction.at("conv_tp_weights"));
  }

  void read_network(std::size_t t, const Record& module) {
    const Network radial = network(file_, module);
    std::vector<int> widths;
    for (std::size_t k = 1; k < radial.layers.size(); ++k)
      widths.push_back(static_cast<int>(std::min<Eigen::Index>(radial.layers[k].rows(), 1 << 20)));
    if (t == 0) {
      d_.radial_mlp = widths;
      d_.activation_norm = radial.activation_norm;
    }
    if (widths != d_.radial_mlp || radial.activation_norm != d_.activation_norm)
      unsupported(module, "differs from that of the first interaction");
    if (widths.empty()) unsupported(module, "has no hidden layer");
  }

  /// Their tables are as large as the description says: what costs time to compute is asked for after this only.
  void read_contractions() {
    d_.correlation = 0;
    for (std::size_t t = 0; t < products_.size(); ++t) {
      const int output_l = t + 1 == products_.size() ? 0 : d_.hidden_l;
      const Record module = products_[t].at("symmetric_contractions");
      require_type(module, "mace.modules.symmetric_contraction.SymmetricContraction");
      const auto contractions = module.at("contractions").children();
      if (contractions.size() != static_cast<std::size_t>(output_l) + 1)
        module.fail("has " + std::to_string(contractions.size()) + " contractions for l up to " +
                    std::to_string(output_l));
      for (const Record& contraction : contractions) {
        const int correlation = whole(contraction.at("correlation"));
        if (d_.correlation == 0) d_.correlation = correlation;
        if (correlation != d_.correlation || correlation < 1 || correlation > 4)
          unsupported(contraction,
                      "has the correlation " + std::to_string(correlation) + " (1 to 4, the same everywhere)");
      }
      for (int l = 0; l <= output_l; ++l) require_table(contractions[static_cast<std::size_t>(l)], l);
    }
  }

  void require_table(const Record& contraction, int l) const {
    const Record table = contraction.at("U_matrix_" + std::to_string(d_.correlation));
    if (d_.l_max > k_max_harmonic)
      unsupported(model_.at("spherical_harmonics"), "has l above " + std::to_string(k_max_harmonic));
    const double smallest = (2 * l + 1) * std::pow(n_harmonics(d_.l_max), d_.correlation);
    if (static_cast<double>(file_.tensor(table).values.size()) < smallest)
      table.fail("has another shape than its irreps ask for");
  }

  void read_readouts() {
    if (readouts_.size() != interactions_.size() && readouts_.size() != 1)
      model_.at("readouts")
          .fail("are " + std::to_string(readouts_.size()) + " for " + std::to_string(interactions_.size()) +
                " interactions");
    if (interactions_.size() == 1) return;
    const Record& last = readouts_.back();
    require_type(last, "mace.modules.blocks.NonLinearReadoutBlock");
    const auto hidden = irreps_of(last.at("linear_1").at("irreps_out"));
    const auto n_heads = static_cast<std::int64_t>(heads_.size());
    if (hidden.size() != 1 || hidden[0].l != 0 || hidden[0].mul % n_heads != 0)
      unsupported(last.at("linear_1").at("irreps_out"), "is not the same number of scalars per head");
    d_.readout_hidden = static_cast<int>(hidden[0].mul / n_heads);
    const auto activations = last.at("non_linearity").at("acts").children();
    if (activations.size() != 1) unsupported(last.at("non_linearity"), "has several activations");
    if (silu_norm(activations[0]) != d_.activation_norm)
      unsupported(activations[0], "differs from that of the radial network");
  }

  void read_scales() {
    if (model_.type_name() != "ScaleShiftMACE") return;
    d_.scale = of_head(model_.at("scale_shift").at("scale"));
    d_.shift = of_head(model_.at("scale_shift").at("shift"));
  }

  /// Under a ScaleShiftMACE the repulsion is scaled together with what the network says.
  void read_repulsion() {
    const auto repulsion = model_.find("pair_repulsion_fn");
    if (!repulsion) return;
    require_type(*repulsion, "mace.modules.radial.ZBLBasis");
    require_covalent_radii(*repulsion);
    const StoredTensor shares = sized_tensor(file_, repulsion->at("c"), k_zbl_shares.size());
    for (std::size_t k = 0; k < k_zbl_shares.size(); ++k)
      require_close(repulsion->at("c"), shares.values[k], k_zbl_shares[k]);
    d_.repulsion = d_.scale;
    d_.repulsion_exponent = number(repulsion->at("a_exp"));
    d_.repulsion_prefactor = number(repulsion->at("a_prefactor"));
    d_.repulsion_power = whole(repulsion->at("p"));
  }

  const TorchCheckpoint& file_;
  Record model_;
  const Heads& heads_;
  std::vector<Record> interactions_, products_, readouts_;
  ModelDescription d_;
};

}  // namespace

ModelDescription read_description(const TorchCheckpoint& file, const Record& model, const Heads& heads) {
  ModelDescription description = Reader(file, model, heads).read();
  validate(description);
  return description;
}

}  // namespace tamiz::importer
