#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "tamiz/core/io/hdf5_calls.hpp"

/// Files of ours: an HDF5 file whose root says which format it has, and in which version.
namespace tamiz::detail::hdf5 {

/// How files are opened and made: the layout of HDF5 1.8, whose headers carry checksums, and which has no mark of a writer
/// that a killed program would leave.
Handle file_access();
/// Without times, so that the same content has the same bytes.
Handle file_creation();

/// Throws FileError for what cannot be read, FormatError for what does not begin as HDF5 does; better messages than HDF5's.
void check_signature(const std::filesystem::path& path);

/// A new file, in place of one that is there, with its header; and one to read whose header is checked as below.
Handle make_file(const std::filesystem::path& path, const std::string& format, std::int64_t version);
Handle open_file(const std::filesystem::path& path, const std::string& format, std::int64_t version);

void write_header(Id file, const std::string& format, std::int64_t version);
/// Throws FormatError where the root has another format or version.
void check_header(Id file, const std::filesystem::path& path, const std::string& format, std::int64_t version);
/// The format that the root of a file names; empty where it names none or the file cannot be opened.
std::string format_of(const std::filesystem::path& path);

}  // namespace tamiz::detail::hdf5
