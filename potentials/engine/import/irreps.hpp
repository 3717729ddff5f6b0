#pragma once

#include <cstdint>
#include <vector>

#include "tamiz/potentials/engine/import/record.hpp"

namespace tamiz::importer {

/// `mul` copies of an irreducible representation of O(3), as e3nn lists them.
struct MulIrrep {
  std::int64_t mul;
  int l, parity;
};

/// Of an `Irreps` object. Throws FormatError for what is none, or has a parity that does not belong to its l (1 for
/// even and -1 for odd l), which no block of this project has.
std::vector<MulIrrep> irreps_of(const Record& record);

/// Largest l where `record` holds l = 0, 1, …, each `mul` times. Throws FormatError for anything else.
int largest_l(const Record& record, std::int64_t mul);

}  // namespace tamiz::importer
