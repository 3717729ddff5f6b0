#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tamiz/core/structure/element.hpp"

namespace tamiz {

/// Everything that fixes the shape of a MACE model (Batatia et al. 2022, arXiv:2206.07697). Plain data;
/// stored in the header of a model file.
struct ModelDescription {
  std::vector<Element> elements = {};
  double cutoff = 6.0;            ///< [Å]
  int n_radial = 8;               ///< Bessel functions
  int envelope_power = 5;         ///< p of the polynomial envelope
  int l_max = 3;                  ///< spherical harmonics on the edges
  int channels = 24;              ///< multiplicity of every hidden irrep
  int hidden_l = 1;               ///< 0: 0e; 1: 0e+1o; 2: 0e+1o+2e
  int correlation = 3;            ///< order of the symmetric contraction, 1..4
  int n_interactions = 2;
  std::vector<int> radial_mlp = {64, 64, 64};
  /// Radial functions are cubic splines through this many values of the radial network (radial/spline.hpp);
  /// 0: the network is evaluated at every edge.
  int radial_nodes = 128;
  /// SiLU is multiplied by this so that its second moment over a standard normal is 1 (e3nn's normalize2mom).
  double activation_norm = 1.6765324703311668;
  int readout_hidden = 16;        ///< width of the last read-out's hidden layer
  int n_members = 8;              ///< committee of read-outs on shared features
  double average_neighbors = 1.0; ///< normalises the sum over neighbours
  std::vector<double> atomic_energies = {};  ///< per element [eV]
  double scale = 1.0;             ///< interaction energies are scale·x + shift per atom
  double shift = 0.0;
  double uncertainty_scale = 1.0; ///< calibration: multiplies the spread of the committee; 0: none, no uncertainty is offered
  /// Of every interaction: RealAgnostic, RealAgnosticResidual, RealAgnosticDensity or RealAgnosticDensityResidual, the
  /// names of mace-torch. Empty: RealAgnostic, behind it RealAgnosticResidual.
  std::vector<std::string> blocks = {};
  std::string radial_basis = "bessel";       ///< or "gaussian"
  std::vector<double> radial_points = {};    ///< Bessel frequencies [1/Å] or centres [Å]; empty: regular ones
  std::string distance_transform = "none";   ///< or "agnesi", "soft"
  std::vector<double> transform_parameters = {};  ///< agnesi: q, p, a; soft: α; empty: those of mace-torch
  bool envelope_on_weights = false;          ///< the envelope multiplies the radial weights, not the basis
  double repulsion = 0.0;           ///< factor of the ZBL pair repulsion (radial/pair_repulsion.hpp); 0: none
  double repulsion_exponent = 0.3;  ///< of the atomic numbers in its screening length
  double repulsion_prefactor = 0.4543;  ///< of its screening length
  int repulsion_power = 6;          ///< p of its envelope
  /// What an atom gains in a crystal beside `atomic_energies`, per element [eV] (radial/cohesion.hpp); empty: nothing.
  std::vector<double> cohesion = {};

  bool operator==(const ModelDescription&) const = default;
};

/// Throws ShapeError or UnitError naming the first field that is out of range.
void validate(const ModelDescription& description);

/// As the JSON text that a model file holds.
std::string to_json(const ModelDescription& description);
/// Throws FormatError for a missing, unknown or ill-typed key.
ModelDescription description_from_json(const std::string& text);

/// Place of every element in `description.elements` by atomic number; -1 for those it does not know.
std::vector<int> element_index(const ModelDescription& description);

/// Members of the committee whose energies a potential gives: none where their spread was not calibrated.
inline int offered_members(const ModelDescription& description) {
  return description.uncertainty_scale > 0.0 ? description.n_members : 0;
}

/// Who made a model, from what and how good it is; shown by `tamiz info`.
struct ModelCard {
  std::map<std::string, std::string> entries;  ///< "name", "level", "training_set", "licence", "created_by", ...
};

}  // namespace tamiz
