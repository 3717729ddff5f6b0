#include "tamiz/core/io/data_set.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <span>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/hash.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/io/archive_frame.hpp"
#include "tamiz/core/io/frame_rows.hpp"
#include "tamiz/core/io/hdf5_file.hpp"

namespace tamiz {
namespace {

using namespace detail;
using hdf5::Failure;
using hdf5::Handle;
using hdf5::Id;
using hdf5::Shape;

constexpr std::int64_t k_version = 1;
const std::string k_format = "tamiz data set";
constexpr auto k_compressed = hdf5::Storage::compressed;
constexpr double k_missing = std::numeric_limits<double>::quiet_NaN();
constexpr std::int32_t k_no_text = -1;

using Texts = std::vector<const std::string*>;  // of every frame; null where there is none

// What cannot be held.

void refuse(bool wrong, const Frame& frame, const std::string& what) {
  if (!wrong) return;
  const auto id = frame.info.find("id");
  throw FormatError("a data set cannot hold " + what + (id != frame.info.end() ? " (" + id->second + ")" : ""));
}

void check(const Frame& frame) {
  require_rows(frame);
  refuse(!frame.arrays.empty(), frame, "per-atom arrays such as " + (frame.arrays.empty() ? "" : frame.arrays.begin()->first));
  for (const auto& [key, value] : frame.info) {
    refuse(key.empty() || key == "." || key.find('/') != std::string::npos, frame, "the key '" + key.substr(0, 40) + "'");
    refuse((key + value).find('\0') != std::string::npos, frame, "the key " + key.substr(0, 40) + ": it has a zero byte");
  }
  const Labels& labels = frame.labels;
  refuse(labels.energy && !std::isfinite(*labels.energy), frame, "an energy that is not finite");
  refuse(labels.free_energy && !std::isfinite(*labels.free_energy), frame, "a free energy that is not finite");
  refuse(labels.forces && !labels.forces->allFinite(), frame, "forces that are not finite");
  refuse(labels.stress && !labels.stress->allFinite(), frame, "a stress that is not finite");
}

// Columns of numbers.

void append(std::vector<double>& column, std::span<const double> values) {
  column.insert(column.end(), values.begin(), values.end());
}

std::span<const double> numbers_of(const Mat3& matrix) { return {matrix.data(), 9}; }
std::span<const double> numbers_of(const Coordinates& rows) { return {rows.data(), static_cast<std::size_t>(rows.size())}; }

struct Columns {
  std::vector<std::int32_t> n_atoms;
  std::vector<std::uint8_t> numbers, pbc;
  std::vector<double> positions, cells, energy, free_energy, forces, stress;

  void add(const Frame& frame) {
    const Structure& structure = frame.structure;
    const Labels& labels = frame.labels;
    n_atoms.push_back(static_cast<std::int32_t>(structure.size()));
    for (const Element element : structure.species()) numbers.push_back(static_cast<std::uint8_t>(element.number()));
    for (const bool periodic : structure.periodicity()) pbc.push_back(periodic ? 1 : 0);
    append(positions, numbers_of(structure.positions()));
    append(cells, numbers_of(structure.lattice().rows()));
    energy.push_back(labels.energy.value_or(k_missing));
    free_energy.push_back(labels.free_energy.value_or(k_missing));
    append(forces, numbers_of(labels.forces.value_or(Coordinates::Constant(structure.positions().rows(), 3, k_missing))));
    append(stress, numbers_of(labels.stress.value_or(Mat3::Constant(k_missing))));
  }

  void write(Id group) const {
    const std::uint64_t n = n_atoms.size(), atoms = numbers.size();
    hdf5::write_integers(group, "n_atoms", n_atoms, k_compressed);
    hdf5::write_bytes(group, "numbers", numbers, k_compressed);
    hdf5::write_bytes(group, "pbc", pbc, k_compressed);
    hdf5::write_doubles(group, "positions", positions.data(), {atoms, 3}, k_compressed);
    hdf5::write_doubles(group, "cells", cells.data(), {n, 3, 3}, k_compressed);
    hdf5::write_doubles(group, "energy", energy.data(), {n}, k_compressed);
    hdf5::write_doubles(group, "free_energy", free_energy.data(), {n}, k_compressed);
    hdf5::write_doubles(group, "forces", forces.data(), {atoms, 3}, k_compressed);
    hdf5::write_doubles(group, "stress", stress.data(), {n, 3, 3}, k_compressed);
  }

  static Columns read(Id group) {
    Columns c;
    c.n_atoms = hdf5::read_integers(group, "n_atoms");
    std::uint64_t atoms = 0;
    for (const std::int32_t n : c.n_atoms) {
      if (n < 0) throw Failure("a number of atoms is below 0");
      atoms += static_cast<std::uint64_t>(n);
    }
    const std::uint64_t n = c.n_atoms.size();
    c.numbers = hdf5::read_bytes(group, "numbers");
    c.pbc = hdf5::read_bytes(group, "pbc");
    if (c.numbers.size() != atoms || c.pbc.size() != 3 * n) throw Failure("columns have different lengths");
    c.positions = doubles(group, "positions", {atoms, 3});
    c.cells = doubles(group, "cells", {n, 3, 3});
    c.energy = doubles(group, "energy", {n});
    c.free_energy = doubles(group, "free_energy", {n});
    c.forces = doubles(group, "forces", {atoms, 3});
    c.stress = doubles(group, "stress", {n, 3, 3});
    return c;
  }

  /// Frame k, whose first atom is `atom`.
  Frame frame(std::size_t k, std::size_t atom) const {
    const auto size = static_cast<std::size_t>(n_atoms[k]);
    const auto rows = [&](const std::vector<double>& column) {
      return Coordinates(Eigen::Map<const Coordinates>(column.data() + 3 * atom, static_cast<Eigen::Index>(size), 3));
    };
    const auto matrix = [&](const std::vector<double>& column) { return Mat3(Eigen::Map<const Mat3>(column.data() + 9 * k)); };
    std::vector<Element> species;
    for (std::size_t i = atom; i < atom + size; ++i) species.emplace_back(numbers[i]);
    const Periodicity periodicity{pbc[3 * k] != 0, pbc[3 * k + 1] != 0, pbc[3 * k + 2] != 0};
    Frame frame{Structure(Lattice(matrix(cells)), periodicity, std::move(species), Cartesian{rows(positions)}), {}, {}, {}};
    if (!std::isnan(energy[k])) frame.labels.energy = energy[k];
    if (!std::isnan(free_energy[k])) frame.labels.free_energy = free_energy[k];
    if (size > 0 && !std::isnan(forces[3 * atom])) frame.labels.forces = rows(forces);
    if (!std::isnan(stress[9 * k])) frame.labels.stress = matrix(stress);
    return frame;
  }

 private:
  static std::vector<double> doubles(Id group, const std::string& name, const Shape& expected) {
    Shape shape;
    std::vector<double> values = hdf5::read_doubles(group, name, expected.size(), shape);
    if (shape != expected) throw Failure(name + " has another shape than its frames");
    return values;
  }
};

// Columns of texts.

/// The number whose shortest form a text is; NaN where it is none.
double number_of(const std::string& text) {
  double value = 0.0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && std::isfinite(value) && format_double(value) == text ? value : k_missing;
}

void write_texts(Id info, const std::string& key, const Texts& texts) {
  std::vector<double> values;
  bool all_numbers = true;
  for (const std::string* text : texts) {
    values.push_back(text != nullptr ? number_of(*text) : k_missing);
    all_numbers = all_numbers && (text == nullptr || !std::isnan(values.back()));
  }
  if (all_numbers) {
    hdf5::write_doubles(info, key, values.data(), {values.size()}, k_compressed);
    return;
  }
  std::map<std::string, std::int32_t> places;
  for (const std::string* text : texts)
    if (text != nullptr) places.emplace(*text, 0);
  std::vector<std::string> distinct;
  for (auto& [text, place] : places) {
    place = static_cast<std::int32_t>(distinct.size());
    distinct.push_back(text);
  }
  std::vector<std::int32_t> codes;
  for (const std::string* text : texts) codes.push_back(text != nullptr ? places.at(*text) : k_no_text);
  const Handle column = hdf5::make_group(info, key);
  hdf5::write_texts(column.get(), "values", distinct, k_compressed);
  hdf5::write_integers(column.get(), "codes", codes, k_compressed);
}

void read_numbers(Id info, const std::string& key, std::vector<Frame>& frames) {
  Shape shape;
  const std::vector<double> values = hdf5::read_doubles(info, key, 1, shape);
  if (values.size() != frames.size()) throw Failure(key + " has another length than its frames");
  for (std::size_t k = 0; k < frames.size(); ++k)
    if (!std::isnan(values[k])) frames[k].info.emplace(key, format_double(values[k]));
}

void read_texts(Id info, const std::string& key, std::vector<Frame>& frames) {
  if (!hdf5::is_group(info, key)) return read_numbers(info, key, frames);
  const Handle column = hdf5::open_group(info, key);
  const std::vector<std::string> values = hdf5::read_texts(column.get(), "values");
  const std::vector<std::int32_t> codes = hdf5::read_integers(column.get(), "codes");
  if (codes.size() != frames.size()) throw Failure(key + " has another length than its frames");
  for (std::size_t k = 0; k < frames.size(); ++k) {
    if (codes[k] == k_no_text) continue;
    if (codes[k] < 0 || static_cast<std::size_t>(codes[k]) >= values.size()) throw Failure(key + " names a text that is not there");
    frames[k].info.emplace(key, values[static_cast<std::size_t>(codes[k])]);
  }
}

// Whole tables.

void write_table(Id parent, const std::string& name, std::span<const Frame> frames) {
  const Handle group = hdf5::make_group(parent, name);
  Columns columns;
  std::set<std::string> keys;
  for (const Frame& frame : frames) {
    check(frame);
    columns.add(frame);
    for (const auto& [key, value] : frame.info) keys.insert(key);
  }
  columns.write(group.get());
  const Handle info = hdf5::make_group(group.get(), "info");
  for (const std::string& key : keys) {
    Texts texts;
    for (const Frame& frame : frames) {
      const auto found = frame.info.find(key);
      texts.push_back(found != frame.info.end() ? &found->second : nullptr);
    }
    write_texts(info.get(), key, texts);
  }
}

std::vector<Frame> read_table(Id parent, const std::string& name) {
  const Handle group = hdf5::open_group(parent, name);
  const Columns columns = Columns::read(group.get());
  std::vector<Frame> frames;
  std::size_t atom = 0;
  for (std::size_t k = 0; k < columns.n_atoms.size(); atom += static_cast<std::size_t>(columns.n_atoms[k]), ++k)
    frames.push_back(columns.frame(k, atom));
  const Handle info = hdf5::open_group(group.get(), "info");
  for (const std::string& key : hdf5::link_names(info.get())) read_texts(info.get(), key, frames);
  return frames;
}

std::string checksum_of(const DataSet& data) {
  std::string text;
  for (const auto& [key, value] : data.card) text += hash_hex(key) + hash_hex(value);
  for (const std::vector<Frame>* frames : {&data.frames, &data.failures}) {
    text += std::to_string(frames->size()) + ":";
    for (const Frame& frame : *frames) text += frame_hash(frame);
  }
  return hash_hex(text);
}

DataSet read_open(Id file) {
  DataSet data;
  for (auto& [key, value] : hdf5::read_pairs(file, "card")) data.card.emplace(std::move(key), std::move(value));
  data.frames = read_table(file, "frames");
  data.failures = read_table(file, "failures");
  if (hdf5::read_text_attribute(file, "checksum") != checksum_of(data)) throw Failure("the content has another checksum");
  return data;
}

}  // namespace

void write_data_set(const std::filesystem::path& path, const DataSet& data) {
  const hdf5::Session session;
  try {
    write_file_beside(path, [&](const std::filesystem::path& part) {
      const Handle file = hdf5::make_file(part, k_format, k_version);
      hdf5::write_attribute(file.get(), "checksum", checksum_of(data));
      hdf5::write_pairs(file.get(), "card", {data.card.begin(), data.card.end()});
      write_table(file.get(), "frames", data.frames);
      write_table(file.get(), "failures", data.failures);
      hdf5::sync(file.get());
    });
  } catch (const Failure& failure) {
    throw FileError("cannot write " + path.string() + ": " + failure.what());
  }
}

DataSet read_data_set(const std::filesystem::path& path) {
  hdf5::check_signature(path);
  const hdf5::Session session;
  const auto damaged = [&](const std::string& why) {
    return FormatError(path.string() + ": checksum or structure is wrong: the data set is truncated or altered (" + why + ")");
  };
  try {
    const Handle file = hdf5::open_file(path, k_format, k_version);
    try {
      return read_open(file.get());
    } catch (const Error& error) {  // what makes no structure
      throw damaged(error.what());
    }
  } catch (const Failure& failure) {
    throw damaged(failure.what());
  }
}

bool is_data_set(const std::filesystem::path& path) { return hdf5::format_of(path) == k_format; }

}  // namespace tamiz
