#include "tamiz/screening/campaign/downloads.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

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

}  // namespace

std::string cif_text(const Structure& structure, const std::string& name) {
  const Frame frame{structure, {}, {{"name", name}}, {}};
  return format_cif(std::span(&frame, 1));
}

std::string gpaw_input(const Structure& structure, const std::string& name, const std::string& settings) {
  const nlohmann::json level = nlohmann::json::parse(settings);
  if (level.value("code", "") != "gpaw") return "";
  const nlohmann::json atoms = structure_to_json(structure);
  return fmt::format(
      "\"\"\"{name}: {formula} at level {level}.\n\n"
      "Forces and energies are those of the program's own labels; its stress adds the Pulay correction\n"
      "(2/3)(E_cut/V) dE/dE_cut, with dE/dE_cut per atom as below [eV/eV].\n\"\"\"\n\n"
      "import math\n\n"
      "import numpy as np\n"
      "from ase import Atoms\n"
      "from gpaw import PW, FermiDirac\n"
      "from gpaw.new.ase_interface import GPAW\n\n"
      "atoms = Atoms(\n    symbols={symbols},\n    positions={positions},\n    cell={cell},\n    pbc={pbc},\n)\n"
      "pulay = {pulay}\n"
      "cutoff = {cutoff}\n"
      "density = {density}  # k-points per Å⁻¹\n"
      "lengths = 2 * math.pi * np.linalg.norm(atoms.cell.reciprocal(), axis=1)\n"
      "size = [max(1, math.ceil(density * length - 0.25)) for length in lengths]\n"
      "atoms.calc = GPAW(\n    mode=PW(cutoff),\n    xc={xc},\n    kpts={{'size': size, 'gamma': True}},\n"
      "    occupations=FermiDirac({smearing}),\n    nbands='130%',\n"
      "    convergence={{'energy': {tolerance}}},\n    txt='{name}.txt',\n)\n"
      "print('energy [eV]', atoms.get_potential_energy())\n"
      "print('forces [eV/Å]', atoms.get_forces())\n"
      "slope = sum(pulay[symbol] for symbol in atoms.symbols)\n"
      "correction = np.eye(3) * 2 / 3 * cutoff / atoms.get_volume() * slope\n"
      "print('stress [eV/Å³]', atoms.get_stress(voigt=False) + correction)\n",
      fmt::arg("name", name), fmt::arg("formula", structure.composition().formula()),
      fmt::arg("level", level.value("name", "")), fmt::arg("symbols", python_of(atoms.at("symbols"))),
      fmt::arg("positions", python_of(atoms.at("positions"))), fmt::arg("cell", python_of(atoms.at("cell"))),
      fmt::arg("pbc", python_of(atoms.at("pbc"))), fmt::arg("pulay", level.at("pulay").dump()),
      fmt::arg("cutoff", level.at("cutoff").dump()), fmt::arg("density", level.at("kpoint_density").at("anion").dump()),
      fmt::arg("xc", level.at("xc").dump()), fmt::arg("smearing", level.at("smearing").dump()),
      fmt::arg("tolerance", level.at("energy_tolerance").dump()));
}

}  // namespace tamiz
