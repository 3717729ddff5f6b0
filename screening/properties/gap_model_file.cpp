#include <cmath>
#include <limits>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/hash.hpp"
#include "tamiz/core/io/hdf5_file.hpp"
#include "tamiz/screening/properties/gap_model.hpp"

namespace tamiz {
namespace {

using namespace detail;
using hdf5::Failure;
using hdf5::Handle;
using hdf5::Id;
using hdf5::Shape;

constexpr std::int64_t k_version = 1;
const std::string k_format = "tamiz gap model";
constexpr double k_missing = std::numeric_limits<double>::quiet_NaN();
constexpr std::size_t k_n_parameters = 10;

/// The columns of the samples as they lie in a file.
struct Columns {
  std::vector<double> features, gaps, plain_gaps;
  std::vector<std::string> groups;
  std::uint64_t width = 0;

  static Columns of(std::span<const GapSample> samples) {
    Columns columns;
    columns.width = static_cast<std::uint64_t>(samples.front().features.size());
    for (const GapSample& sample : samples) {
      columns.features.insert(columns.features.end(), sample.features.data(), sample.features.data() + sample.features.size());
      columns.gaps.push_back(sample.gap);
      columns.plain_gaps.push_back(sample.plain_gap.value_or(k_missing));
      columns.groups.push_back(sample.group);
    }
    return columns;
  }

  static Columns read(Id file) {
    Columns columns;
    Shape shape, length;
    columns.features = hdf5::read_doubles(file, "features", 2, shape);
    columns.width = shape[1];
    columns.gaps = hdf5::read_doubles(file, "gaps", 1, length);
    columns.plain_gaps = hdf5::read_doubles(file, "plain_gaps", 1, length);
    columns.groups = hdf5::read_texts(file, "groups");
    if (columns.gaps.size() != shape[0] || columns.plain_gaps.size() != shape[0] || columns.groups.size() != shape[0])
      throw Failure("the columns differ in length");
    return columns;
  }

  void write(Id file) const {
    hdf5::write_doubles(file, "features", features.data(), {gaps.size(), width}, hdf5::Storage::compressed);
    hdf5::write_doubles(file, "gaps", gaps.data(), {gaps.size()});
    hdf5::write_doubles(file, "plain_gaps", plain_gaps.data(), {plain_gaps.size()});
    hdf5::write_texts(file, "groups", groups);
  }

  std::vector<GapSample> samples() const {
    std::vector<GapSample> all(gaps.size());
    for (std::size_t k = 0; k < all.size(); ++k) {
      all[k].features = Eigen::RowVectorXd::Map(features.data() + k * width, static_cast<Eigen::Index>(width));
      all[k].group = groups[k];
      all[k].gap = gaps[k];
      if (!std::isnan(plain_gaps[k])) all[k].plain_gap = plain_gaps[k];
    }
    return all;
  }

  std::string checksum(std::span<const double> parameters) const {
    std::string bytes;
    const auto add = [&](std::span<const double> values) { bytes.append(reinterpret_cast<const char*>(values.data()), values.size_bytes()); };
    add(features);
    add(gaps);
    add(plain_gaps);
    add(parameters);
    for (const std::string& group : groups) bytes += group + '\n';
    return hash_hex(bytes);
  }
};

void append(std::vector<double>& values, const std::optional<GaussianProcess::Widths>& widths) {
  values.push_back(widths ? widths->length : k_missing);
  values.push_back(widths ? widths->noise : k_missing);
}

std::optional<GaussianProcess::Widths> widths_at(const std::vector<double>& values, std::size_t place) {
  if (std::isnan(values[place])) return std::nullopt;
  return GaussianProcess::Widths{.length = values[place], .noise = values[place + 1]};
}

}  // namespace

void GapModel::save(const std::filesystem::path& path) const {
  std::vector<double> parameters;
  for (const auto& widths : {parameters_.kind, parameters_.structure, parameters_.plain}) append(parameters, widths);
  for (const double each : {parameters_.alpha, parameters_.beta, parameters_.structure_scale, parameters_.plain_scale})
    parameters.push_back(each);
  const Columns columns = Columns::of(samples_);
  const hdf5::Session session;
  try {
    write_file_beside(path, [&](const std::filesystem::path& part) {
      const Handle file = hdf5::make_file(part, k_format, k_version);
      hdf5::write_attribute(file.get(), "potential", potential_);
      hdf5::write_attribute(file.get(), "level", level_);
      hdf5::write_attribute(file.get(), "parameters", parameters);
      hdf5::write_attribute(file.get(), "checksum", columns.checksum(parameters));
      columns.write(file.get());
      hdf5::sync(file.get());
    });
  } catch (const Failure& failure) {
    throw FileError("cannot write " + path.string() + ": " + failure.what());
  }
}

bool GapModel::is_one(const std::filesystem::path& path) { return hdf5::format_of(path) == k_format; }

GapModel GapModel::load(const std::filesystem::path& path) {
  hdf5::check_signature(path);
  const hdf5::Session session;
  const auto damaged = [&](const std::string& why) {
    return FormatError(path.string() + ": the gap model is truncated or altered (" + why + ")");
  };
  try {
    const Handle file = hdf5::open_file(path, k_format, k_version);
    const Columns columns = Columns::read(file.get());
    const std::vector<double> values = hdf5::read_attribute(file.get(), "parameters");
    if (values.size() != k_n_parameters || hdf5::read_text_attribute(file.get(), "checksum") != columns.checksum(values))
      throw Failure("the content has another checksum");
    const Parameters parameters{.kind = widths_at(values, 0), .structure = widths_at(values, 2), .plain = widths_at(values, 4),
                                .alpha = values[6], .beta = values[7], .structure_scale = values[8], .plain_scale = values[9]};
    return GapModel(columns.samples(), hdf5::read_text_attribute(file.get(), "potential"),
                    hdf5::read_text_attribute(file.get(), "level"), &parameters);
  } catch (const Failure& failure) {
    throw damaged(failure.what());
  }
}

}  // namespace tamiz
