#include "tamiz/screening/campaign/downloads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numbers>
#include <set>
#include <string_view>
#include <vector>

#include "tamiz/core/io/cif.hpp"
#include "tamiz/screening/oracle/expected_gap.hpp"
#include "tamiz/screening/oracle/label_json.hpp"

namespace tamiz {
namespace {

/// JSON of numbers, texts and lists and objects of them is Python, but for the booleans.
std::string python_of(const nlohmann::json& value) {
  if (value.is_boolean()) return value.get<bool>() ? "True" : "False";
  if (!value.is_array()) return value.dump();
  std::string text = "[";
  for (const auto& entry : value) text += (text.size() > 1 ? ", " : "") + python_of(entry);
  return text + "]";
}

constexpr int k_scf_iterations = 70;   // both as in the worker
constexpr double k_stress_gate = 7.0;  // [GPa]

/// The settings and rules of python/tamiz/workers (gpaw_level.py, kpoint_sampling.py), which the tests hold it to.
constexpr const char* k_gpaw_input = R"("""{name}: {formula} at level {level}.

Energy, forces and stress are those of the program's own labels{mesh_note}. The stress has the Pulay correction
(2/3)(E_cut/V) dE/dE_cut, with dE/dE_cut per atom as below [eV/eV].
"""

import math
import subprocess
import sys
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.units import GPa
from gpaw import PW, FermiDirac, setup_paths
from gpaw.new.ase_interface import GPAW
from gpaw.new.symmetry import SymmetryAnalysisBug, SymmetryBrokenError
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
setups = {setups}  # PAW sets that GPAW's generator makes here, with these options
options = {options}

for symbol, tag in setups.items():
    if not Path(f'{{symbol}}.{{tag}}.{{xc}}').exists():
        made = [sys.executable, '-m', 'gpaw', 'dataset', symbol, *options[symbol], '-f', xc, '-w', '-t', tag]
        subprocess.run(made, check=True)
setup_paths.insert(0, '.')

lengths = 2 * math.pi * np.linalg.norm(atoms.cell.reciprocal(), axis=1)
size = tuple(max(1, math.ceil({points})) if periodic else 1 for length, periodic in zip(lengths, atoms.pbc))
occupied = math.ceil(sum(SetupData(symbol, xc, setups.get(symbol, 'paw')).Nv for symbol in atoms.symbols) / 2)


def calculator(symmetry):
    return GPAW(
        mode=PW(cutoff),
        xc=xc,
        kpts={{'size': size, 'gamma': True}},
        occupations=FermiDirac({smearing}),
        setups=setups,
        nbands=occupied + max(6, math.ceil(0.2 * occupied)),  # room for smearing
        symmetry=symmetry,
        convergence={convergence},
        maxiter={iterations},
        txt='{name}.txt',
    )


atoms.calc = calculator({{'symmorphic': {symmorphic}}})
try:
    atoms.get_potential_energy()
except (SymmetryAnalysisBug, SymmetryBrokenError):  # rare, in cells that are symmetric within the tolerance only
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

/// PAW sets that a level has GPAW's generator make, by element; tags and options are those of paw_sets.py.
struct MadeSets {
  nlohmann::json tags = nlohmann::json::object(), options = nlohmann::json::object();
};

MadeSets made_sets(const nlohmann::json& level, const Composition& composition) {
  MadeSets sets;
  const nlohmann::json paw = level.value("paw", nlohmann::json::object());
  for (const auto& [symbol, entry] : paw.items()) {
    if (!composition.counts().contains(Element::from_symbol(symbol))) continue;
    const int electrons = entry.is_object() ? entry.at("electrons").get<int>() : entry.get<int>();
    std::string tag = fmt::format("tamiz{}", electrons);
    std::vector<std::string> options{"-e", std::to_string(electrons)};
    if (entry.is_object() && entry.contains("radius")) {
      const std::string radius = fmt::format("{:g}", entry.at("radius").get<double>());
      tag += "r" + radius;
      options.insert(options.end(), {"-r", radius});
    }
    sets.tags[symbol] = tag;
    sets.options[symbol] = options;
  }
  return sets;
}

/// Class of k-point mesh of a composition among those of a level, fine enough for whatever gap there may be.
std::string mesh_class(const Composition& composition, const nlohmann::json& classes) {
  static const std::set<std::string_view> metalloids{"B", "Si", "Ge", "Sn", "Sb"};
  if (may_have_gap(composition)) return "anion";
  if (composition.counts().size() > 1 && classes.contains("intermetallic")) return "intermetallic";
  const bool has_metalloid =
      std::ranges::any_of(composition.counts(), [](const auto& entry) { return metalloids.contains(entry.first.symbol()); });
  return has_anion(composition) || has_metalloid ? "covalent" : "metal";
}

}  // namespace

std::string cif_text(const Structure& structure, const std::string& name) {
  const Frame frame{structure, {}, {{"name", name}}, {}};
  return format_cif(std::span(&frame, 1));
}

std::string gpaw_input(const Structure& structure, const std::string& name, const std::string& settings,
                       const std::string& label_mesh) {
  const nlohmann::json level = nlohmann::json::parse(settings);
  if (level.value("code", "") != "gpaw") return "";
  const bool by_length = level.contains("kpoint_length");
  const nlohmann::json& table = level.at(by_length ? "kpoint_length" : "kpoint_density");
  const Composition composition = structure.composition();
  const std::string mesh = label_mesh.empty() ? level.value("mesh", mesh_class(composition, table)) : label_mesh;
  if (!table.contains(mesh)) return "";  // the worker would refuse it, too
  // Planes of the lattice that are as far apart as the length are enough for a mesh that resolves it.
  const double density = table.at(mesh).get<double>() / (by_length ? 2.0 * std::numbers::pi : 1.0);
  const nlohmann::json atoms = structure_to_json(structure);
  nlohmann::json pulay = nlohmann::json::object();
  for (const auto& [element, count] : composition.counts()) {
    const std::string symbol(element.symbol());
    if (!level.at("pulay").contains(symbol)) return "";  // the program's own worker would refuse it, too
    pulay[symbol] = level.at("pulay").at(symbol);
  }
  const MadeSets sets = made_sets(level, composition);
  nlohmann::json convergence{{"energy", level.at("energy_tolerance")}};
  if (level.contains("eigenstates_tolerance")) convergence["eigenstates"] = level.at("eigenstates_tolerance");
  return fmt::format(
      k_gpaw_input, fmt::arg("name", name), fmt::arg("formula", composition.formula()),
      fmt::arg("level", level.value("name", "")), fmt::arg("symbols", python_of(atoms.at("symbols"))),
      fmt::arg("positions", python_of(atoms.at("positions"))), fmt::arg("cell", python_of(atoms.at("cell"))),
      fmt::arg("pbc", python_of(atoms.at("pbc"))), fmt::arg("pulay", pulay.dump()),
      fmt::arg("cutoff", level.at("cutoff").dump()), fmt::arg("mesh", mesh),
      fmt::arg("mesh_note", by_length ? ", on a mesh that is as fine or finer" : ""),
      fmt::arg("density", nlohmann::json(density).dump()), fmt::arg("points", by_length ? "0.97 * density * length" : "density * length - 0.25"), fmt::arg("setups", sets.tags.dump()), fmt::arg("options", sets.options.dump()), fmt::arg("xc", level.at("xc").dump()),
      fmt::arg("smearing", level.at("smearing").dump()), fmt::arg("convergence", convergence.dump()),
      fmt::arg("iterations", level.value("scf_iterations", k_scf_iterations)),
      fmt::arg("gate", level.value("stress_gate_gpa", k_stress_gate)),
      fmt::arg("symmorphic", mesh == "large" ? "False" : "True"));
}

}  // namespace tamiz
