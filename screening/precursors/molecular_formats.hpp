#pragma once

namespace tamiz {

/// Adds SMILES, SDF, MOL, MOL2, PDB and CML to the formats of this program. Each starts `tamiz-babel` when it is used;
/// where that is missing, reading and writing throw CapabilityError.
void register_molecular_formats();

}  // namespace tamiz
