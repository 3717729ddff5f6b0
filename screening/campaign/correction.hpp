#pragma once

#include <map>
#include <string>

#include "tamiz/core/structure/composition.hpp"

namespace tamiz {

/// A fitted correction of the energies of compounds with an anion, named by its source.
///
/// PBE binds N2 and O2 wrongly by some tenths of an eV per atom, so that formation energies from the
/// elements are off by that much; energies of decomposition into other nitrides hardly are.
struct AnionCorrection {
  std::string name;
  std::string source;
  std::map<Element, double> per_atom;  ///< added for each atom of this element in a compound [eV]

  /// Correction of a phase [eV/atom]; zero for an element.
  double per_atom_of(const Composition& composition) const;
};

/// The part for nitrogen of MP2020 (Wang et al. 2021, doi:10.1038/s41598-021-94550-5), fitted to measured formation
/// enthalpies. That scheme corrects other anions, too; here they are left as they are.
const AnionCorrection& mp2020_correction();

}  // namespace tamiz
