#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tamiz/core/neighbors/neighbor_list.hpp"
#include "tamiz/core/structure/batch.hpp"

namespace tamiz {

/// What to compute. Energies always are.
struct Outputs {
  bool forces = true;
  bool stress = false;
  bool atom_energies = false;
  bool members = false;  ///< energy of each committee member
  bool descriptors = false;
  /// Derivatives of the standard deviation over the members by positions, and where `stress` is asked for by strains;
  /// fills the energies of the members too.
  bool uncertainty_gradients = false;
};

/// Only what was asked for is filled.
struct Prediction {
  Eigen::VectorXd energies;        ///< (n_structures) [eV]
  Coordinates forces;              ///< (n_atoms, 3) [eV/Å]
  std::vector<Mat3> stresses;      ///< (n_structures) [eV/Å³], tensile positive: (1/V) dE/dε; zero without a volume
  Eigen::VectorXd atom_energies;   ///< (n_atoms) [eV]
  Eigen::MatrixXd member_energies; ///< (n_structures, n_members) [eV]
  /// (n_atoms, n_descriptors): what the model knows of each atom's surroundings, invariant under rotation, translation
  /// and reflection.
  Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor> descriptors;
  /// Of σ, the standard deviation of a structure's member energies: ∂σ/∂x (n_atoms, 3) [eV/Å] and (1/V) ∂σ/∂ε
  /// (n_structures) [eV/Å³]; zero where all members agree.
  Coordinates uncertainty_gradients;
  std::vector<Mat3> uncertainty_stresses;
};

struct Capabilities {
  bool stress = true;
  bool atom_energies = true;
  int n_members = 0;              ///< 0: no committee
  int n_descriptors = 0;          ///< 0: none
  bool uncertainty_gradients = false;
  bool second_derivatives = false;
  std::vector<Element> elements;  ///< empty: every element
};

/// Energy as a function of a batch; const and reentrant.
class Potential {
 public:
  virtual ~Potential() = default;

  virtual std::string name() const = 0;
  virtual Capabilities capabilities() const = 0;
  virtual NeighborRequest neighbors() const = 0;
  /// That a batch is shared among; what is done for the potential beside it, as neighbour lists, may use as many.
  virtual int threads() const { return 1; }
  /// Throws as `check_evaluation`, and NumericsError for two atoms at one place.
  virtual Prediction evaluate(const Batch& batch, const State& state, const NeighborList& neighbors,
                              const Outputs& outputs) const = 0;
  /// Second derivatives of every structure's energy by its positions, times `directions` (n_atoms, 3): −d/dτ of the forces
  /// at positions x + τ·directions in fixed cells, (n_atoms, 3) [eV/Å²] times the unit of the directions.
  /// Throws as `evaluate`, CapabilityError where the potential has none, ShapeError for directions of another shape.
  virtual Coordinates hessian_vector_products(const Batch& batch, const State& state, const NeighborList& neighbors,
                                              const Coordinates& directions) const;
};

/// Builds the neighbours and evaluates. Convenience for single calls.
Prediction evaluate(const Potential& potential, std::span<const Structure> structures, const Outputs& outputs = {});

/// Standard deviation over the members of each structure's energy (n_structures) [eV], of a prediction that has two or more.
Eigen::VectorXd energy_deviations(const Prediction& prediction);

/// Builds the neighbours; `directions` of all structures one behind the other.
Coordinates hessian_vector_products(const Potential& potential, std::span<const Structure> structures,
                                    const Coordinates& directions);

/// Throws SpeciesError naming the first element that the potential does not know.
void require_species(const Potential& potential, std::span<const Element> species);

/// What every potential checks before it computes. Throws SpeciesError for elements outside its capabilities,
/// CapabilityError for outputs that it does not offer, ShapeError for arrays that do not belong together and for a list
/// that does not reach its cutoff, NumericsError for positions that are not finite.
void check_evaluation(const Potential& potential, const Batch& batch, const State& state, const NeighborList& neighbors,
                      const Outputs& outputs);

/// Throws NumericsError where a neighbour of `atom` lies on it, which has no direction; the square of a distance serves too.
void check_distance(double distance, std::size_t atom);

}  // namespace tamiz
