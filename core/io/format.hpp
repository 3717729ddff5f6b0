#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tamiz/core/structure/frame.hpp"

namespace tamiz {

/// A structure file format. `read` and `write` may be empty: the format then lacks that capability.
struct Format {
  std::string name;                      ///< "extxyz"
  std::vector<std::string> extensions;   ///< ".xyz", ".extxyz"
  std::vector<std::string> file_names;   ///< whole names that identify it: "POSCAR"
  bool many_frames = false;
  bool labels = false;
  std::function<std::vector<Frame>(const std::filesystem::path&)> read;
  std::function<void(const std::filesystem::path&, std::span<const Frame>)> write;
};

/// The formats known to this program. `register_format` adds one (see CONTRIBUTING.md).
const std::vector<Format>& formats();
void register_format(Format format);

/// By file name, or by `name` where given. Throws CapabilityError with the list of known formats and
/// the nearest name.
const Format& format_for(const std::filesystem::path& path, std::string_view name = {});

/// Reads every frame. Throws FileError, FormatError (with file:line), SpeciesError.
std::vector<Frame> read_frames(const std::filesystem::path& path, std::string_view format = {});
/// Reads a file that must hold exactly one structure.
Frame read_frame(const std::filesystem::path& path, std::string_view format = {});
Structure read_structure(const std::filesystem::path& path, std::string_view format = {});
/// Writes atomically.
void write_frames(const std::filesystem::path& path, std::span<const Frame> frames, std::string_view format = {});

}  // namespace tamiz
