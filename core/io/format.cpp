#include "tamiz/core/io/format.hpp"

#include <algorithm>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/log.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/io/archive.hpp"
#include "tamiz/core/io/cif.hpp"
#include "tamiz/core/io/data_set.hpp"
#include "tamiz/core/io/extxyz.hpp"
#include "tamiz/core/io/poscar.hpp"

namespace tamiz {
namespace {

using std::filesystem::path;

const Frame& single(std::span<const Frame> frames, const path& file) {
  if (frames.size() != 1) throw CapabilityError(file.string() + ": this format holds one structure, got " + std::to_string(frames.size()));
  return frames.front();
}

/// Both of our formats go by the same name.
std::vector<Frame> read_hdf5(const path& file) { return is_data_set(file) ? read_data_set(file).frames : read_archive(file); }

/// The formats of the core, named one by one: registration by static objects is lost in static libraries.
std::vector<Format> built_in_formats() {
  std::vector<Format> list;
  list.push_back({.name = "extxyz", .extensions = {".xyz", ".extxyz"}, .file_names = {}, .many_frames = true, .labels = true,
                  .read = [](const path& file) { return parse_extxyz(read_file(file), file.string()); },
                  .write = [](const path& file, std::span<const Frame> frames) { write_file_atomically(file, format_extxyz(frames)); }});
  list.push_back({.name = "cif", .extensions = {".cif"}, .file_names = {}, .many_frames = true, .labels = false,
                  .read = [](const path& file) { return parse_cif(read_file(file), file.string()); },
                  .write = [](const path& file, std::span<const Frame> frames) { write_file_atomically(file, format_cif(frames)); }});
  list.push_back({.name = "poscar", .extensions = {".vasp", ".poscar"}, .file_names = {"POSCAR", "CONTCAR"}, .many_frames = false, .labels = false,
                  .read = [](const path& file) { return std::vector<Frame>{parse_poscar(read_file(file), file.string())}; },
                  .write = [](const path& file, std::span<const Frame> frames) {
                    write_file_atomically(file, format_poscar(single(frames, file)));
                  }});
  list.push_back({.name = "archive", .extensions = {".h5", ".hdf5"}, .file_names = {}, .many_frames = true, .labels = true,
                  .read = read_hdf5, .write = write_archive});
  list.push_back({.name = "dataset", .extensions = {}, .file_names = {}, .many_frames = true, .labels = true,
                  .read = [](const path& file) { return read_data_set(file).frames; },
                  .write = [](const path& file, std::span<const Frame> frames) {
                    write_data_set(file, {{}, {frames.begin(), frames.end()}, {}});
                  }});
  return list;
}

std::vector<Format>& registry() {
  static std::vector<Format> list = built_in_formats();
  return list;
}

std::vector<std::string> names() {
  std::vector<std::string> result;
  for (const Format& format : registry()) result.push_back(format.name);
  return result;
}

}  // namespace

const std::vector<Format>& formats() { return registry(); }

void register_format(Format format) {
  for (Format& known : registry())
    if (known.name == format.name) {
      known = std::move(format);
      return;
    }
  registry().push_back(std::move(format));
}

namespace {

bool is_in(const std::vector<std::string>& list, const std::string& word) { return std::find(list.begin(), list.end(), word) != list.end(); }

/// "POSCAR", then by the extension, then "POSCAR_relaxed": an extension that is known says more than how the name begins.
const Format* format_by_file_name(const path& file) {
  const std::string whole = file.filename().string(), extension = file.extension().string();
  const auto begins = [&](const std::string& name) { return whole.starts_with(name); };
  for (const Format& format : registry())
    if (is_in(format.file_names, whole)) return &format;
  for (const Format& format : registry())
    if (is_in(format.extensions, extension)) return &format;
  for (const Format& format : registry())
    if (std::any_of(format.file_names.begin(), format.file_names.end(), begins)) return &format;
  return nullptr;
}

}  // namespace

const Format& format_for(const path& file, std::string_view name) {
  if (name.empty()) {
    if (const Format* format = format_by_file_name(file)) return *format;
    throw CapabilityError("no format is known for " + file.string() + "; known are " + joined(names()) + ", which `tamiz convert --from` and the format= of Python name");
  }
  for (const Format& format : registry())
    if (format.name == name) return format;
  const std::string nearest = nearest_name(name, names());
  throw CapabilityError("unknown format " + std::string(name) + (nearest.empty() ? "" : ", did you mean " + nearest + "?") +
                        "; known are " + joined(names()));
}

std::vector<Frame> read_frames(const path& file, std::string_view name) {
  const Format& format = format_for(file, name);
  if (!format.read) throw CapabilityError("format " + format.name + " cannot be read, only written");
  return format.read(file);
}

Frame read_frame(const path& file, std::string_view name) {
  std::vector<Frame> frames = read_frames(file, name);
  if (frames.size() != 1) throw FormatError(file.string() + ": expected one structure, got " + std::to_string(frames.size()));
  return std::move(frames.front());
}

Structure read_structure(const path& file, std::string_view name) { return read_frame(file, name).structure; }

void write_frames(const path& file, std::span<const Frame> frames, std::string_view name) {
  const Format& format = format_for(file, name);
  if (!format.write) throw CapabilityError("format " + format.name + " cannot be written, only read");
  if (frames.size() > 1 && !format.many_frames)
    throw CapabilityError("format " + format.name + " holds one structure, got " + std::to_string(frames.size()));
  const auto has_labels = [](const Frame& frame) { return frame.labels.energy || frame.labels.forces || frame.labels.stress; };
  if (!format.labels && std::ranges::any_of(frames, has_labels))
    log::warning(file.string() + ": format " + format.name + " holds no energies, forces or stresses, which are left out");
  format.write(file, frames);
}

}  // namespace tamiz
