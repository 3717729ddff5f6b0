#pragma once

#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "tamiz/core/simulation/minimizer.hpp"
#include "tamiz/core/simulation/relax.hpp"

namespace tamiz::detail {

/// How a relaxation ended.
struct Ending {
  RelaxStatus status;
  std::string reason;
};

/// Distance of two atoms over the sum of their covalent radii.
struct Contact {
  double ratio, distance;  // distance [Å]
  Element a, b;
};

/// One structure on its way to a minimum of E + pV: its geometry and what the minimizer remembers. It knows
/// nothing of the batch that it is evaluated in.
///
/// Generalised coordinates are the displacements of the atoms [Å] and the symmetric strain of the present cell
/// times c = k·√N·(V/N)^⅓, which gives strains about the curvature of bonds whatever the size of the cell. A step
/// (d, ε) moves x → (x + d)·exp(ε) and the lattice rows a → a·exp(ε).
class RelaxingStructure {
 public:
  RelaxingStructure(const Structure& structure, std::size_t index, const RelaxOptions& options);

  std::size_t index() const { return index_; }  ///< place in the input
  std::size_t size() const { return start_.size(); }
  const Structure& start() const { return start_; }
  const Coordinates& positions() const { return positions_; }
  const Mat3& cell() const { return cell_; }

  /// Ends on a volume that grew or shrank too much.
  std::optional<Ending> check_volume() const;
  /// Ends on a pair that is too close.
  std::optional<Ending> check_contact(const Contact& closest) const;
  /// Takes over what a potential says of the present geometry; ends when converged, out of steps or not finite.
  std::optional<Ending> absorb(double energy, const Coordinates& forces, const Mat3& stress);
  /// Moves to the next geometry; after `absorb`.
  void advance();
  /// The result at the last geometry that was evaluated.
  RelaxResult result(const Ending& ending) const;

 private:
  bool relaxes_cell() const { return strain_scale_ > 0.0; }
  double volume() const;

  Structure start_;
  std::size_t index_;
  RelaxOptions options_;
  Coordinates positions_;
  Mat3 cell_;
  Mat3 strained_directions_ = Mat3::Zero();  // projector on the span of the periodic lattice vectors
  double strain_scale_ = 0.0;                // c [Å]
  Minimizer minimizer_;
  Eigen::VectorXd force_;                    // generalised, at the last evaluated geometry
  Coordinates evaluated_positions_;
  Mat3 evaluated_cell_;
  static constexpr double k_unknown = std::numeric_limits<double>::quiet_NaN();
  double energy_ = k_unknown, fmax_ = k_unknown, smax_ = k_unknown;
  int steps_ = 0;
};

}  // namespace tamiz::detail
