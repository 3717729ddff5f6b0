#include "tamiz/screening/campaign/downloads.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>
#include <string_view>

#include "tamiz/core/io/cif.hpp"
#include "tamiz/screening/oracle/label_json.hpp"

namespace tamiz {
namespace {

/// JSON of numbers, texts and lists of them is Python, but for the booleans.
std::string python_of(const nlohmann::json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (!value.is_array()) return value.dump();
  std::string text = "[";
  for (const auto& entry : value) text += (text.size() > 1 ? ", " : "") + python_of(entry);
  return text + "]";
}

constexpr int k_scf_iterations = 70;   // both as in the worker
constexpr double k_stress_gate = 7.0;  // [GPa]

/// The settings and rules of python/tamiz/workers/gpaw_worker.py, which the tests hold it to.
constexpr const char* k_gpaw_input = R"("""{name}: {formula} at level {level}.

Energy, forces and stress are those of the program's own labels. The stress has the Pulay correction
(2/3)(E_cut/V) dE/dE_cut, with dE/dE_cut per atom as below [eV/eV].
"""

import math

import numpy as np
from ase import Atoms
from ase.units import GPa
from gpaw import PW, FermiDirac
from gpaw.new.ase_interface import GPAW
from gpaw.new.symmetry import SymmetryAnalysisBug
from gpaw.setup_data import SetupData

atoms = Atoms(
    symbols={symbols},
    positions={positions},
    cell={cell},
    pbc={pbc},
)
xc = {xc}
cutoff = {cutoff}
density = {density}  # k-points per Å⁻¹, mesh class {mesh}
pulay = {pulay}

lengths = 2 * math.pi * np.linalg.norm(atoms.cell.reciprocal(), axis=1)
size = tuple(max(1, math.ceil(density * length - 0.25)) if periodic else 1 for length, periodic in zip(lengths, atoms.pbc))
occupied = math.ceil(sum(SetupData(symbol, xc).Nv for symbol in atoms.symbols) / 2)


def calculator(symmetry):
    return GPAW(
        mode=PW(cutoff),
        xc=xc,
        kpts={{'size': size, 'gamma': True}},
        occupations=FermiDirac({smearing}),
        nbands=occupied + max(6, math.ceil(0.2 * occupied)),  # room for smearing
        symmetry=symmetry,
        convergence={{'energy': {tolerance}}},
        maxiter={iterations},
        txt='{name}.txt',
    )


atoms.calc = calculator({{'symmorphic': {symmorphic}}})
try:
    atoms.get_potential_energy()
except SymmetryAnalysisBug:  # rare, in cells that are symmetric within the tolerance only
    atoms.calc = calculator({{'point_group': False}})
print('energy [eV]', atoms.get_potential_energy())
print('free energy [eV]', atoms.get_potential_energy(force_consistent=True))
print('forces [eV/Å]', atoms.get_forces().tolist())
slope = sum(pulay[symbol] for symbol in atoms.symbols)
correction = np.eye(3) * 2 / 3 * cutoff / atoms.get_volume() * slope
print('stress [eV/Å³]', (atoms.get_stress(voigt=False) + correction).tolist())
if abs(correction[0, 0]) > {gate} * GPa:
    print('The correction is too large for a reliable stress: no label has it.')
)";

/// Then one band is half filled.
bool has_odd_electrons(const Composition& composition) {
  const Composition formula = composition.reduced();
  int electrons = 0;
  for (const auto& [element, count] : formula.counts()) electrons += element.number() * count;
  return electrons % 2 == 1;
}

}  // namespace

std::string cif_text(const Structure& structure, const std::string& name) {
  const Frame frame{structure, {}, {{"name", name}}, {}};
  return format_cif(std::span(&frame, 1));
}

std::string mesh_class(const Composition& composition) {
  static const std::set<std::string_view> anions{"H", "C", "N", "O", "F", "P", "S", "Cl", "As", "Se", "Br", "Te", "I"};
  static const std::set<std::string_view> metalloids{"B", "Si", "Ge", "Sn", "Sb"};
  bool has_anion = false, has_metalloid = false;
  for (const auto& [element, count] : composition.counts()) {
    has_anion = has_anion || anions.contains(element.symbol());
    has_metalloid = has_metalloid || metalloids.contains(element.symbol());
  }
  if (has_anion && composition.counts().size() > 1) return has_odd_electrons(composition) ? "covalent" : "anion";
  return has_anion || has_metalloid ? "covalent" : "metal";
}

std::string gpaw_input(const Structure& structure, const std::string& name, const std::string& settings,
                       const std::string& label_mesh) {
  const nlohmann::json level = nlohmann::json::parse(settings);
  if (level.value("code", "") != "gpaw") return "";
  // Made PAW sets and meshes by length are the work of whole modules, which a script of one page cannot repeat.
  if (level.contains("paw") || level.contains("kpoint_length")) return "";
  const Composition composition = structure.composition();
  const std::string mesh = label_mesh.empty() ? level.value("mesh", mesh_class(composition)) : label_mesh;
  const nlohmann::json atoms = structure_to_json(structure);
  nlohmann::json pulay = nlohmann::json::object();
  for (const auto& [element, count] : composition.counts()) {
    const std::string symbol(element.symbol());
    if (!level.at("pulay").contains(symbol)) return "";  // the program's own worker would refuse it, too
    pulay[symbol] = level.at("pulay").at(symbol);
  }
  return fmt::format(
      k_gpaw_input, fmt::arg("name", name), fmt::arg("formula", composition.formula()),
      fmt::arg("level", level.value("name", "")), fmt::arg("symbols", python_of(atoms.at("symbols"))),
      fmt::arg("positions", python_of(atoms.at("positions"))), fmt::arg("cell", python_of(atoms.at("cell"))),
      fmt::arg("pbc", python_of(atoms.at("pbc"))), fmt::arg("pulay", pulay.dump()),
      fmt::arg("cutoff", level.at("cutoff").dump()), fmt::arg("mesh", mesh),
      fmt::arg("density", level.at("kpoint_density").at(mesh).dump()), fmt::arg("xc", level.at("xc").dump()),
      fmt::arg("smearing", level.at("smearing").dump()), fmt::arg("tolerance", level.at("energy_tolerance").dump()),
      fmt::arg("iterations", level.value("scf_iterations", k_scf_iterations)),
      fmt::arg("gate", level.value("stress_gate_gpa", k_stress_gate)),
      fmt::arg("symmorphic", mesh == "large" ? "False" : "True"));
}

}  // namespace tamiz
