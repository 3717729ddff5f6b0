#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "tamiz/core/structure/frame.hpp"

namespace tamiz {

/// Structures with their labels in one HDF5 file (.h5), which can grow and which `kill -9` cannot damage.
///
/// Each frame is a group: `numbers` (n), `positions` (n, 3) [Å], `forces` (n, 3) [eV/Å], `info` (k, 2), `arrays/<name>`;
/// attributes `cell` [Å], `pbc`, `energy`, `free_energy` [eV], `stress` [eV/Å³], `content_hash`. It is reached by the
/// reference in row k % 2048 of the block that row k / 2048 of `/index` refers to, beside a checksum of its content and its
/// place. Nothing but those rows and HDF5's first 48 bytes is ever written over, so that what was appended stays as it was
/// whatever happens to the program while it appends. Format version 1.
///
/// All numbers read back to the same bits. The HDF5 library is used by one thread of the process at a time.
class Archive {
 public:
  /// A new, empty file. Throws FileError, also when the file exists.
  static Archive create(const std::filesystem::path& path);
  /// To read and to append; frames that were being appended when a program was killed are not there. Throws FileError
  /// (not there, in use by another program), FormatError (no archive, other version; truncated or altered: "checksum").
  static Archive open(const std::filesystem::path& path);
  /// To read only.
  static Archive open_read_only(const std::filesystem::path& path);

  std::size_t size() const;
  /// Throws FormatError naming the file and the frame when its content is not what was written ("checksum"), ShapeError
  /// for k ≥ size().
  Frame read(std::size_t k) const;

  /// Appends frames; all of them are on the disk when this returns. Throws FileError (disk full; the archive then still
  /// holds what it held), FormatError for text with a zero byte or an array whose name has a slash.
  void append(std::span<const Frame> frames);
  void append(const Frame& frame) { append(std::span(&frame, 1)); }

  Archive(Archive&&) noexcept;
  Archive& operator=(Archive&&) noexcept;
  ~Archive();

 private:
  struct Impl;
  explicit Archive(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// All frames of an archive. Throws as `Archive::open` and `Archive::read` do.
std::vector<Frame> read_archive(const std::filesystem::path& path);

/// A new archive of these frames, put in place of `path` at once. Throws FileError, FormatError.
void write_archive(const std::filesystem::path& path, std::span<const Frame> frames);

}  // namespace tamiz
