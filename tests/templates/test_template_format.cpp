// Template of a new file format: copy it, change the name and the syntax, and call register_format once at the start.
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/io/format.hpp"

namespace {

using namespace tamiz;

/// One atom per line: symbol x y z [Å]. Errors name file and line.
std::vector<Frame> read_points(const std::filesystem::path& path) {
  std::istringstream text(read_file(path));
  std::vector<Element> species;
  std::vector<double> values;
  int number = 0;
  for (std::string line; std::getline(text, line);) {
    ++number;
    std::istringstream words(line);
    std::string symbol;
    double x = 0.0, y = 0.0, z = 0.0;
    if (!(words >> symbol >> x >> y >> z))
      throw FormatError(path.string() + ":" + std::to_string(number) + ": expected 'symbol x y z', got '" + line + "'");
    species.push_back(Element::from_symbol(symbol));
    values.insert(values.end(), {x, y, z});
  }
  const Coordinates positions = Eigen::Map<const Coordinates>(values.data(), static_cast<Eigen::Index>(species.size()), 3);
  return {Frame{Structure(Lattice(), k_molecule, species, Cartesian{positions}), {}, {}, {}}};
}

void write_points(const std::filesystem::path& path, std::span<const Frame> frames) {
  if (frames.size() != 1) throw CapabilityError("the format points holds one structure, got " + std::to_string(frames.size()));
  const Structure& structure = frames[0].structure;
  std::ostringstream text;
  text.precision(17);
  const Coordinates positions = structure.positions();
  for (std::size_t i = 0; i < structure.size(); ++i)
    text << structure.species()[i].symbol() << ' ' << positions.row(static_cast<Eigen::Index>(i)) << '\n';
  write_file_atomically(path, text.str());
}

void register_points() {
  static const bool once = [] {
    register_format({.name = "points", .extensions = {".points"}, .file_names = {}, .many_frames = false, .labels = false,
                     .read = read_points, .write = write_points});
    return true;
  }();
  static_cast<void>(once);
}

TEST(TemplateFormat, what_is_written_is_read_back) {
  register_points();
  const auto path = std::filesystem::temp_directory_path() / "tamiz-template.points";
  Coordinates positions(2, 3);
  positions << 0, 0, 0.1, 1.0 / 3.0, 2, -3;
  const Frame frame{Structure(Lattice(), k_molecule, {Element(6), Element(8)}, Cartesian{positions}), {}, {}, {}};

  write_frames(path, std::span(&frame, 1));
  const Structure back = read_structure(path);

  EXPECT_EQ(back.positions(), positions);
  EXPECT_EQ(back.species()[1], Element(8));
}

TEST(TemplateFormat, a_malformed_line_is_named) {
  register_points();
  const auto path = std::filesystem::temp_directory_path() / "tamiz-template-bad.points";
  write_file_atomically(path, "C 0 0 0\nO 1 2\n");

  try {
    read_frames(path);
    FAIL() << "no error";
  } catch (const FormatError& error) {
    EXPECT_NE(std::string(error.what()).find(".points:2:"), std::string::npos) << error.what();
  }
}

}  // namespace
