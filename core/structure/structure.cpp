#include "tamiz/core/structure/structure.hpp"

#include <cmath>
#include <cstring>
#include <limits>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/hash.hpp"
#include "tamiz/core/neighbors/bins.hpp"
#include "tamiz/core/neighbors/neighbor_list.hpp"

namespace tamiz {
namespace {

void check(const Lattice& lattice, const Periodicity& periodicity, std::size_t n_species,
           const Coordinates& positions) {
  if (static_cast<std::size_t>(positions.rows()) != n_species)
    throw ShapeError("expected one position per atom, got " + std::to_string(positions.rows()) + " positions for " +
                     std::to_string(n_species) + " atoms");
  if (!positions.allFinite()) throw NumericsError("a position is not finite");
  detail::completed_cell(lattice.rows(), periodicity);  // throws where the periodic vectors span no volume
}

template <typename Value>
void append(std::string& bytes, const Value* values, std::size_t n) {
  bytes.append(reinterpret_cast<const char*>(values), n * sizeof(Value));
}

}  // namespace

Structure::Structure(Lattice lattice, Periodicity periodicity, std::vector<Element> species, Cartesian positions)
    : lattice_(lattice), periodicity_(periodicity), species_(std::move(species)), positions_(std::move(positions.values)) {
  check(lattice_, periodicity_, species_.size(), positions_);
}

Structure::Structure(Lattice lattice, Periodicity periodicity, std::vector<Element> species, const Fractional& positions)
    : Structure(lattice, periodicity, std::move(species), Cartesian{positions.values * lattice.rows()}) {}

Fractional Structure::fractional() const { return {positions_ * lattice_.reciprocal().transpose()}; }

std::string Structure::content_hash() const {
  std::string bytes;
  append(bytes, lattice_.rows().data(), 9);
  for (const bool periodic : periodicity_) bytes += periodic ? '1' : '0';
  for (const Element element : species_) bytes += static_cast<char>(element.number());
  append(bytes, positions_.data(), static_cast<std::size_t>(positions_.size()));
  return hash_hex(bytes);
}

Structure Structure::with_lattice_scaled(double linear_factor) const {
  return Structure(Lattice(lattice_.rows() * linear_factor), periodicity_, species_, Cartesian{positions_ * linear_factor});
}

Structure Structure::strained(const Mat3& strain) const {
  const Mat3 deformation = Mat3::Identity() + strain;
  return Structure(Lattice(lattice_.rows() * deformation), periodicity_, species_, Cartesian{positions_ * deformation});
}

Structure Structure::with_positions(Cartesian positions) const {
  return Structure(lattice_, periodicity_, species_, std::move(positions));
}

Structure Structure::supercell(std::array<int, 3> copies) const {
  for (int k = 0; k < 3; ++k) {
    const int n_copies = copies[static_cast<std::size_t>(k)];
    if (n_copies < 1) throw ShapeError("a supercell needs at least one copy each way");
    if (n_copies > 1 && lattice_.vector(k).norm() == 0.0) throw ShapeError("a supercell has one copy along a direction without a lattice vector");
  }
  const auto n = static_cast<Eigen::Index>(size());
  const Eigen::Index total = static_cast<Eigen::Index>(copies[0]) * copies[1] * copies[2];
  Coordinates positions(n * total, 3);
  std::vector<Element> species;
  Eigen::Index row = 0;
  for (int i = 0; i < copies[0]; ++i)
    for (int j = 0; j < copies[1]; ++j)
      for (int k = 0; k < copies[2]; ++k, row += n) {
        const Vec3 shift = i * lattice_.vector(0) + j * lattice_.vector(1) + k * lattice_.vector(2);
        positions.middleRows(row, n) = positions_.rowwise() + shift.transpose();
        species.insert(species.end(), species_.begin(), species_.end());
      }
  Mat3 rows = lattice_.rows();
  for (int k = 0; k < 3; ++k) rows.row(k) *= copies[static_cast<std::size_t>(k)];
  return Structure(Lattice(rows), periodicity_, std::move(species), Cartesian{std::move(positions)});
}

double Structure::shortest_distance() const {
  // The cutoff grows until a pair is inside; a periodic cell has one within its longest vector.
  const std::vector<Structure> self{*this};
  const Batch batch(self);
  const State state = State::of(self);
  const bool any_periodic = periodicity_[0] || periodicity_[1] || periodicity_[2];
  if (size() < 2 && !any_periodic) return std::numeric_limits<double>::infinity();
  double limit = 0.0;
  for (int k = 0; k < 3; ++k)
    if (periodicity_[static_cast<std::size_t>(k)]) limit = std::max(limit, lattice_.vector(k).norm());
  if (size() > 1) limit = std::max(limit, (positions_.rowwise() - positions_.row(0)).rowwise().norm().maxCoeff());
  for (double cutoff = 2.0;; cutoff *= 1.6) {
    const NeighborList list = build_neighbors(batch, state, {cutoff, 0.0});
    double shortest = std::numeric_limits<double>::infinity();
    for (std::size_t pair = 0; pair < list.n_pairs(); ++pair)
      shortest = std::min(shortest, list.vector(pair, batch, state).norm());
    if (std::isfinite(shortest) || cutoff > 1.01 * limit + 1e-6) return shortest;
  }
}

}  // namespace tamiz
