#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tamiz/core/structure/frame.hpp"

namespace tamiz {

/// Labelled structures as they are published: with a card that says where they are from, and with the calculations that
/// failed.
struct DataSet {
  std::map<std::string, std::string> card;  ///< "name", "level", "licence", ...
  std::vector<Frame> frames;
  std::vector<Frame> failures;  ///< structures without labels; `info` holds the "reason"
};

/// One compressed HDF5 file (.h5) of columns, version 1. `/card` (k, 2) holds texts. The groups `/frames` and `/failures`
/// hold, for n frames of N atoms in all: `n_atoms` (n), `numbers` (N), `positions` (N, 3) [Å], `cells` (n, 3, 3) [Å], `pbc`
/// (3n); `energy`, `free_energy` (n) [eV], `forces` (N, 3) [eV/Å], `stress` (n, 3, 3) [eV/Å³], all NaN where there is none;
/// and a column in `info` for every key: numbers (n), NaN where there is none, where all of its texts are numbers, else a
/// group of `values`, the texts, and `codes` (n), places among them, −1 where there is none. The root's `checksum` is over
/// the content of every frame. All numbers and texts read back to the same bits.
///
/// Throws FileError; FormatError for frames with per-atom arrays, labels that are not finite or keys with a slash.
void write_data_set(const std::filesystem::path& path, const DataSet& data);

/// Throws FileError; FormatError for another format or version, and where the content is not what was written ("checksum").
DataSet read_data_set(const std::filesystem::path& path);

/// Whether a file says that it is one.
bool is_data_set(const std::filesystem::path& path);

}  // namespace tamiz
