#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "tamiz/potentials/engine/mace/fine_table.hpp"
#include "tamiz/potentials/engine/mace/radial_network.hpp"
#include "tamiz/potentials/engine/mace/spline_map.hpp"
#include "tamiz/potentials/engine/radial/radial_input.hpp"

namespace tamiz::mace {

/// How edges read the radial tables of a model: at a distance its radial functions are the sum of four neighbouring rows
/// times four weights. The rows are the spline coefficients of a model that is splined; else in float32 those of a fine
/// grid; else, and where no grid is fine enough, every edge has rows of its own, with what the network gives.
class RadialReading {
 public:
  enum class Kind { splined, fine, exact };
  explicit RadialReading(const ModelDescription& description);

  Kind kind() const { return input_.splined() ? Kind::splined : grid_.intervals > 0 ? Kind::fine : Kind::exact; }
  const RadialInput& input() const { return input_; }
  const FineGrid& grid() const { return grid_; }
  void use_grid(const FineGrid& grid) { grid_ = grid; }
  /// Of a model that is splined.
  const SplineMap& spline_map() const { return *spline_map_; }
  /// The basis at the nodes of a table, (n_nodes, basis_size).
  const double* basis_at_nodes(std::size_t table) const {
    return at_nodes_.data() + table * spline_map_->n_nodes() * static_cast<std::size_t>(input_.basis_size());
  }

  /// First of the four rows of elements at places a and b at r [Å], with the weights and their derivatives; not for
  /// Kind::exact. Rows of a fine grid count from the beginning of the table of the pair.
  std::int32_t at(double r, std::int32_t a, std::int32_t b, std::array<double, 4>& values,
                  std::array<double, 4>& slopes) const;
  /// Second derivatives of the weights of four rows; of Kind::exact they are values, slopes and second derivatives.
  std::array<double, 4> curvatures(double r) const;

 private:
  RadialInput input_;
  std::optional<SplineMap> spline_map_;
  std::vector<double> at_nodes_;
  FineGrid grid_;
};

/// The radial functions of one interaction as rows of all paths.
template <typename Real>
class RadialTable {
 public:
  RadialTable(const RadialReading& reading, RadialNetwork network, int padded_channels);

  /// Takes other weights. Tables of a model that is splined have to be filled again.
  void use(RadialNetwork network) { network_ = std::move(network); }
  /// Spline coefficients of one table. Different tables may be filled by several threads at once.
  void fill(const RadialReading& reading, std::size_t table);

  /// Where channel k of all paths lies in a row.
  std::size_t place(std::size_t k) const { return places_[k]; }
  std::size_t stride() const { return odd_lines<Real>(network_.n_outputs()); }
  /// The spline coefficients (n_coefficients, stride).
  const Real* coefficients() const { return coefficients_.data(); }
  /// Density coefficients (n_coefficients), empty without.
  const std::vector<double>& density() const { return density_; }
  const RadialNetwork& network() const { return network_; }
  /// The table of a fine grid, made when it is first asked for. May be asked from several threads at once.
  std::shared_ptr<const FineTable<Real>> fine(const RadialReading& reading, std::size_t table) const;

 private:
  struct Cache {
    std::mutex mutex;
    std::map<std::size_t, std::shared_ptr<const FineTable<Real>>> tables;
  };

  RadialNetwork network_;
  std::vector<std::size_t> places_;
  AlignedBuffer<Real> coefficients_;
  std::vector<double> density_;
  std::unique_ptr<Cache> cache_ = std::make_unique<Cache>();
};

}  // namespace tamiz::mace
