#include "tamiz/core/io/archive_frame.hpp"

#include <algorithm>
#include <string_view>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/hash.hpp"
#include "tamiz/core/io/frame_rows.hpp"

namespace tamiz::detail {
namespace {

using hdf5::Failure;
using hdf5::Id;
using hdf5::Shape;
using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// A text of all parts that no two different frames share: everything is preceded by its length.
class Bytes {
 public:
  void add(std::string_view text) {
    add_number(text.size());
    bytes_ += text;
  }
  template <typename Matrix>
  void add_matrix(const Matrix& matrix) {
    add_number(static_cast<std::uint64_t>(matrix.rows()));
    add_number(static_cast<std::uint64_t>(matrix.cols()));
    for (Eigen::Index i = 0; i < matrix.rows(); ++i)
      for (Eigen::Index k = 0; k < matrix.cols(); ++k) add_value(matrix(i, k));
  }
  void add_value(double value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof value); }
  void add_number(std::uint64_t number) { bytes_.append(reinterpret_cast<const char*>(&number), sizeof number); }
  const std::string& text() const { return bytes_; }

 private:
  std::string bytes_;
};

void refuse(bool wrong, const std::string& what) {
  if (wrong) throw FormatError("an archive cannot hold " + what);
}

void check_texts(const Frame& frame) {
  const auto has_zero = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  for (const auto& [key, value] : frame.info)
    refuse(has_zero(key) || has_zero(value), "the key " + key.substr(0, 40) + ": its text has a zero byte");
  for (const auto& [name, array] : frame.arrays)
    refuse(name.empty() || name == "." || name.find('/') != std::string::npos || has_zero(name),
           "an array named '" + name.substr(0, 40) + "': names may have neither slashes nor zero bytes");
}

void write_matrix(Id group, const std::string& name, const RowMajor& matrix) {
  hdf5::write_doubles(group, name, matrix.data(), {static_cast<std::uint64_t>(matrix.rows()), static_cast<std::uint64_t>(matrix.cols())});
}

RowMajor read_matrix(Id group, const std::string& name) {
  Shape shape;
  const std::vector<double> values = hdf5::read_doubles(group, name, 2, shape);
  return Eigen::Map<const RowMajor>(values.data(), static_cast<Eigen::Index>(shape[0]), static_cast<Eigen::Index>(shape[1]));
}

Coordinates read_coordinates(Id group, const std::string& name) {
  const RowMajor matrix = read_matrix(group, name);
  if (matrix.cols() != 3) throw Failure(name + " has another shape than (n_atoms, 3)");
  return matrix;
}

Mat3 read_cell(Id group, const std::string& name) {
  const std::vector<double> values = hdf5::read_attribute(group, name);
  if (values.size() != 9) throw Failure(name + " has not nine numbers");
  return Eigen::Map<const Mat3>(values.data());
}

std::optional<double> read_scalar(Id group, const std::string& name) {
  if (!hdf5::has_attribute(group, name)) return std::nullopt;
  const std::vector<double> values = hdf5::read_attribute(group, name);
  if (values.size() != 1) throw Failure(name + " is not one number");
  return values[0];
}

std::span<const double> numbers(const Mat3& matrix) { return {matrix.data(), 9}; }

Structure read_structure_of(Id group) {
  const std::vector<std::uint8_t> atomic_numbers = hdf5::read_bytes(group, "numbers");
  const std::vector<double> pbc = hdf5::read_attribute(group, "pbc");
  if (pbc.size() != 3) throw Failure("pbc has not three numbers");
  std::vector<Element> species;
  for (const std::uint8_t number : atomic_numbers) species.emplace_back(number);
  return Structure(Lattice(read_cell(group, "cell")), {pbc[0] != 0.0, pbc[1] != 0.0, pbc[2] != 0.0}, std::move(species),
                   Cartesian{read_coordinates(group, "positions")});
}

}  // namespace

std::string frame_hash(const Frame& frame) {
  Bytes bytes;
  bytes.add(frame.structure.content_hash());
  const Labels& labels = frame.labels;
  bytes.add_number(labels.energy.has_value() + 2 * labels.free_energy.has_value() + 4 * labels.forces.has_value() + 8 * labels.stress.has_value());
  if (labels.energy) bytes.add_value(*labels.energy);
  if (labels.free_energy) bytes.add_value(*labels.free_energy);
  if (labels.forces) bytes.add_matrix(*labels.forces);
  if (labels.stress) bytes.add_matrix(*labels.stress);
  bytes.add_number(frame.info.size());
  for (const auto& [key, value] : frame.info) {
    bytes.add(key);
    bytes.add(value);
  }
  bytes.add_number(frame.arrays.size());
  for (const auto& [name, array] : frame.arrays) {
    bytes.add(name);
    bytes.add_matrix(array);
  }
  return hash_hex(bytes.text());
}

void write_frame(Id group, const Frame& frame) {
  check_texts(frame);
  require_rows(frame);
  const Structure& structure = frame.structure;
  std::vector<std::uint8_t> atomic_numbers;
  for (const Element element : structure.species()) atomic_numbers.push_back(static_cast<std::uint8_t>(element.number()));
  const auto& periodicity = structure.periodicity();
  const double pbc[3] = {periodicity[0] ? 1.0 : 0.0, periodicity[1] ? 1.0 : 0.0, periodicity[2] ? 1.0 : 0.0};
  hdf5::write_bytes(group, "numbers", atomic_numbers);
  hdf5::write_doubles(group, "positions", structure.positions().data(), {structure.size(), 3});
  hdf5::write_attribute(group, "cell", numbers(structure.lattice().rows()));
  hdf5::write_attribute(group, "pbc", pbc);
  hdf5::write_attribute(group, "content_hash", frame_hash(frame));
  const Labels& labels = frame.labels;
  if (labels.energy) hdf5::write_attribute(group, "energy", std::span(&*labels.energy, 1));
  if (labels.free_energy) hdf5::write_attribute(group, "free_energy", std::span(&*labels.free_energy, 1));
  if (labels.forces) write_matrix(group, "forces", *labels.forces);
  if (labels.stress) hdf5::write_attribute(group, "stress", numbers(*labels.stress));
  if (!frame.info.empty()) hdf5::write_pairs(group, "info", {frame.info.begin(), frame.info.end()});
  if (frame.arrays.empty()) return;
  const hdf5::Handle arrays = hdf5::make_group(group, "arrays");
  for (const auto& [name, array] : frame.arrays) write_matrix(arrays.get(), name, array);
}

Frame read_frame(Id group) {
  Frame frame{read_structure_of(group), {}, {}, {}};
  frame.labels.energy = read_scalar(group, "energy");
  frame.labels.free_energy = read_scalar(group, "free_energy");
  if (hdf5::has_link(group, "forces")) frame.labels.forces = read_coordinates(group, "forces");
  if (hdf5::has_attribute(group, "stress")) frame.labels.stress = read_cell(group, "stress");
  if (hdf5::has_link(group, "info"))
    for (auto& [key, value] : hdf5::read_pairs(group, "info")) frame.info.emplace(std::move(key), std::move(value));
  if (!hdf5::has_link(group, "arrays")) return frame;
  const hdf5::Handle arrays = hdf5::open_group(group, "arrays");
  for (const std::string& name : hdf5::link_names(arrays.get())) frame.arrays.emplace(name, read_matrix(arrays.get(), name));
  return frame;
}

}  // namespace tamiz::detail
