#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tamiz/core/io/hdf5_calls.hpp"

namespace tamiz::detail {

/// The place and the checksum of each frame: a table of blocks, each a table of frames, both of fixed size and laid out
/// when they are made, so that a new row is 16 bytes written in place.
class ArchiveIndex {
 public:
  static constexpr std::size_t k_rows = 2048;  ///< of the table and of each block
  static constexpr std::size_t k_most_frames = k_rows * k_rows;

  /// An empty index named `index` in a new file.
  static ArchiveIndex create(hdf5::Id file);
  /// Throws hdf5::Failure where the rows contradict one another.
  static ArchiveIndex open(hdf5::Id file);

  std::size_t size() const { return entries_.size(); }
  /// Makes room for `n` more frames: call before the flush that precedes `add`.
  void reserve(hdf5::Id file, std::size_t n);
  /// Enters `group` as the next frame, whose content has this hash.
  void add(hdf5::Id group, const std::string& hash);
  hdf5::Handle open_frame(hdf5::Id file, std::size_t k) const;
  bool matches(std::size_t k, const std::string& hash) const;

 private:
  struct Entry {
    std::uint64_t reference = 0;  ///< HDF5's object reference
    std::uint64_t check = 0;
  };
  static hdf5::Handle make_table(hdf5::Id file, const char* name);
  static std::vector<Entry> read_table(hdf5::Id table);
  static void write_row(hdf5::Id table, std::size_t row, const Entry& entry);
  static hdf5::Handle dereference(hdf5::Id file, const Entry& entry);
  static Entry entry_for(hdf5::Id object, std::size_t place, const std::string& hash);

  hdf5::Handle table_;
  std::vector<hdf5::Handle> blocks_;
  std::size_t entered_blocks_ = 0;
  std::vector<Entry> entries_;
};

}  // namespace tamiz::detail
