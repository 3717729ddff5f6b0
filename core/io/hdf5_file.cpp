#include "tamiz/core/io/hdf5_file.hpp"

#include <hdf5.h>

#include <array>
#include <cstring>
#include <fstream>

#include "tamiz/core/base/descriptor.hpp"
#include "tamiz/core/base/error.hpp"

namespace tamiz::detail::hdf5 {
namespace {

constexpr std::array<unsigned char, 8> k_signature{0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

}  // namespace

Handle file_access() {
  Handle properties(H5Pcreate(H5P_FILE_ACCESS), "make properties");
  check(H5Pset_libver_bounds(properties.get(), H5F_LIBVER_V18, H5F_LIBVER_V18), "choose a version");
  check(H5Pset_fclose_degree(properties.get(), H5F_CLOSE_STRONG), "choose how to close");
  return properties;
}

Handle file_creation() {
  Handle properties(H5Pcreate(H5P_FILE_CREATE), "make properties");
  check(H5Pset_obj_track_times(properties.get(), 0), "leave out times");
  return properties;
}

void check_signature(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) throw FileError("cannot open " + path.string() + ": it is a folder");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw_file_error("open", path);
  std::array<char, 8> head{};
  file.read(head.data(), head.size());
  if (std::memcmp(head.data(), k_signature.data(), head.size()) != 0)
    throw FormatError(path.string() + ": no HDF5 archive: the file begins otherwise (empty, truncated or of another format)");
}

void write_header(Id file, const std::string& format, std::int64_t version) {
  write_attribute(file, "format", format);
  write_attribute(file, "version", version);
}

void check_header(Id file, const std::filesystem::path& path, const std::string& format, std::int64_t version) {
  if (!has_attribute(file, "format") || read_text_attribute(file, "format") != format)
    throw FormatError(path.string() + ": an HDF5 file, but no " + format.substr(format.find(' ') + 1) + " of Tamiz");
  const std::int64_t found = read_integer_attribute(file, "version");
  if (found != version)
    throw FormatError(path.string() + ": " + format.substr(format.find(' ') + 1) + " of version " + std::to_string(found) +
                      ", this program reads version " + std::to_string(version));
}

Handle make_file(const std::filesystem::path& path, const std::string& format, std::int64_t version) {
  const Handle access = file_access(), creation = file_creation();
  Handle file(H5Fcreate(path.c_str(), H5F_ACC_TRUNC, creation.get(), access.get()), "create the file");
  write_header(file.get(), format, version);
  return file;
}

Handle open_file(const std::filesystem::path& path, const std::string& format, std::int64_t version) {
  const Handle access = file_access();
  Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), "open the file");
  check_header(file.get(), path, format, version);
  return file;
}

std::string format_of(const std::filesystem::path& path) {
  const Session session;
  try {
    const Handle properties = file_access();
    const Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, properties.get()), "open the file");
    return has_attribute(file.get(), "format") ? read_text_attribute(file.get(), "format") : "";
  } catch (const Failure&) {
    return "";
  }
}

}  // namespace tamiz::detail::hdf5
