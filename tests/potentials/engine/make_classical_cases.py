"""Writes classical_cases.json: energies, forces and stresses of classical potentials by LAMMPS.

Needs the program `lmp` (or $LMP) and LAMMPS' own potential files (Debian: lammps, lammps-data):
    LAMMPS_POTENTIALS=/usr/share/lammps/potentials python tests/potentials/engine/make_classical_cases.py
"""

import json
import os
import pathlib
import subprocess
import tempfile

import numpy as np
from ase import Atoms
from ase.build import bulk, make_supercell

LMP = os.environ.get("LMP", "lmp")
POTENTIALS = pathlib.Path(os.environ.get("LAMMPS_POTENTIALS", "/usr/share/lammps/potentials"))
BAR = 1e5 / 1.602176634e11  # eV/Å³; LAMMPS prints the pressure tensor in bar

INPUT = """
units metal
atom_style atomic
box tilt large
read_data data
mass * 1.0
{potential}
neighbor 0.5 bin
thermo_style custom pe pxx pyy pzz pxy pxz pyz
thermo_modify format float %.17g norm no
compute e all pe/atom
dump d all custom 1 dump id fx fy fz c_e
dump_modify d sort id format float %.17g
run 0
"""


def write_data(folder, atoms, species):
    (ax, _, _), (bx, by, _), (cx, cy, cz) = atoms.cell
    lines = ["", "", f"{len(atoms)} atoms", f"{len(species)} atom types"]
    lines += [f"0 {x!r} {n}lo {n}hi" for n, x in zip("xyz", map(float, (ax, by, cz)))]
    lines += [f"{float(bx)!r} {float(cx)!r} {float(cy)!r} xy xz yz", "", "Atoms", ""]
    for k, (symbol, position) in enumerate(zip(atoms.symbols, atoms.positions)):
        lines.append(f"{k + 1} {species.index(symbol) + 1} " + " ".join(repr(float(x)) for x in position))
    (folder / "data").write_text("\n".join(lines) + "\n")


def lammps(atoms, species, potential):
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        write_data(folder, atoms, species)
        (folder / "input").write_text(INPUT.format(potential=potential))
        done = subprocess.run([LMP, "-in", "input"], cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr
        lines = done.stdout.splitlines()
        row = next(k for k, line in enumerate(lines) if "PotEng" in line)
        energy, *p = map(float, lines[row + 1].split())
        table = np.loadtxt(folder / "dump", skiprows=9, ndmin=2)
    xx, yy, zz, xy, xz, yz = (-BAR * np.array(p)).tolist()
    return {"energy": energy, "stress": [[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]],
            "forces": table[:, 1:4].tolist(), "atom_energies": table[:, 4].tolist()}


def restricted(atoms):
    """LAMMPS wants a along x, b in the xy plane; atoms inside the cell."""
    atoms.set_cell(atoms.cell.standard_form()[0], scale_atoms=True)
    atoms.wrap()
    return atoms


def silicon():
    atoms = make_supercell(bulk("Si", "diamond", 5.431), [[2, 0, 0], [0, 2, 1], [0, 0, 2]])
    atoms.set_cell(atoms.cell @ np.array([[1.02, 0.03, 0.0], [-0.02, 0.97, 0.01], [0.04, 0.0, 1.01]]), scale_atoms=True)
    atoms.rattle(0.15, seed=1)
    return restricted(atoms)


def gallium_nitride():
    atoms = make_supercell(bulk("GaN", "wurtzite", 3.19, 5.19), [[2, 0, 0], [1, 2, 0], [0, 0, 1]])
    atoms.rattle(0.15, seed=2)
    return restricted(atoms)


def argon_krypton():
    atoms = bulk("Ar", "fcc", 5.4, cubic=True) * (2, 1, 2)
    atoms.symbols[::3] = "Kr"
    atoms.rattle(0.2, seed=3)
    return restricted(atoms)


def close_pair():
    return Atoms("SiN", [[1, 1, 1], [1.4, 1.5, 1.3]], cell=[12, 12, 12], pbc=True)


def main():
    lj = ["pair_style lj/smooth/linear 7.0", "pair_coeff 1 1 0.0103 3.405", "pair_coeff 2 2 0.0140 3.65",
          "pair_coeff 1 2 0.0118 3.50"]
    runs = {
        "sw-si": (silicon(), ["Si"], f"pair_style sw\npair_coeff * * {POTENTIALS}/Si.sw Si"),
        "sw-gan": (gallium_nitride(), ["Ga", "N"], f"pair_style sw\npair_coeff * * {POTENTIALS}/GaN.sw Ga N"),
        "lj-ar-kr": (argon_krypton(), ["Ar", "Kr"], "\n".join(lj)),
        "zbl-si-n": (close_pair(), ["Si", "N"],
                     "pair_style zbl 1.5 2.0\npair_coeff 1 1 14 14\npair_coeff 1 2 14 7\npair_coeff 2 2 7 7"),
    }
    cases = {}
    for name, (atoms, species, potential) in runs.items():
        cases[name] = {"cell": atoms.cell.tolist(), "symbols": list(atoms.symbols), "positions": atoms.positions.tolist(),
                       **lammps(atoms, species, potential)}
    path = pathlib.Path(__file__).with_name("classical_cases.json")
    path.write_text(json.dumps({"made_by": "make_classical_cases.py", "cases": cases}) + "\n")


if __name__ == "__main__":
    main()
