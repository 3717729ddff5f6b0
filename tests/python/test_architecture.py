"""What may include what, and other rules of the tree that a compiler does not check."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from support import BUILD, ROOT

# Each part, and the parts whose headers it may include. The longest prefix that fits a file is its part.
MAY_INCLUDE = {
    "core": {"core"},
    "potentials/engine": {"core", "potentials/engine"},
    "potentials/torch": {"core", "potentials/engine", "potentials/torch"},
    "screening": {"core", "potentials/engine", "screening"},
    "screening/precursors/babel": {"screening/precursors/babel"},
    "python": {"core", "potentials/engine", "screening", "python"},
}
TORCH = re.compile(r"^(torch|ATen|c10)/")
OPEN_BABEL = re.compile(r"^openbabel/")
PYTHON = re.compile(r"^(Python\.h|pybind11/)")
# Libraries of the implementation, which the headers that others compile against must not ask for.
PRIVATE = re.compile(r"^(fmt/|spdlog/|nlohmann/|toml\+\+/|hdf5|H5|spglib|libqhull|xxhash|CLI/)")
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]', re.MULTILINE)


def part_of(path: str) -> str:
    fitting = [part for part in MAY_INCLUDE if path.startswith(part + "/")]
    return max(fitting, key=len, default="")


def sources(*suffixes: str) -> list[Path]:
    """Sources of the parts, with paths relative to the root."""
    found = [
        path.relative_to(ROOT)
        for top in ("core", "potentials", "screening", "python")
        for path in sorted((ROOT / top).rglob("*"))
        if path.suffix in suffixes
    ]
    assert len(found) > 50, "the source tree was not found"
    return found


def includes(path: Path) -> list[str]:
    return INCLUDE.findall((ROOT / path).read_text())


def test_parts_include_only_what_they_stand_on():
    wrong = []
    for path in sources(".hpp", ".cpp", ".inc"):
        allowed = MAY_INCLUDE[part_of(str(path))]
        for name in includes(path):
            if name.startswith("tamiz/") and part_of(name.removeprefix("tamiz/")) not in allowed:
                wrong.append(f"{path} includes {name}")

    assert not wrong


def test_headers_of_the_project_are_named_from_the_root():
    wrong = []
    for path in sources(".hpp", ".cpp"):
        if part_of(str(path)) == "screening/precursors/babel":
            continue
        for name in includes(path):
            if name.endswith(".hpp") and not name.startswith("tamiz/") and (ROOT / path.parent / name).exists():
                wrong.append(f"{path} includes {name}")

    assert not wrong


@pytest.mark.parametrize(
    "library, home",
    [(TORCH, "potentials/torch"), (OPEN_BABEL, "screening/precursors/babel"), (PYTHON, "python")],
    ids=["torch", "openbabel", "python"],
)
def test_a_library_is_included_in_its_home_only(library, home):
    users = {str(path) for path in sources(".hpp", ".cpp") for name in includes(path) if library.match(name)}

    assert users, "the home of the library includes it"
    assert not {user for user in users if part_of(user) != home}


def test_public_headers_ask_for_no_private_library():
    wrong = [
        f"{path} includes {name}"
        for path in sources(".hpp")
        if part_of(str(path)) in ("core", "potentials/engine")
        for name in includes(path)
        if PRIVATE.match(name)
    ]

    assert not wrong


def test_headers_of_screening_only_declare_json():
    wrong = [
        f"{path} includes {name}"
        for path in sources(".hpp")
        if part_of(str(path)) == "screening" and "cli" not in path.parts
        for name in includes(path)
        if PRIVATE.match(name) and name != "nlohmann/json_fwd.hpp"
    ]

    assert not wrong


def test_files_with_torch_have_no_fmt():
    wrong = [str(path) for path in sources(".hpp", ".cpp") if part_of(str(path)) == "potentials/torch"
             for name in includes(path) if re.match(r"^(fmt|spdlog)/", name)]

    assert not wrong


def test_every_header_is_guarded():
    assert not [str(path) for path in sources(".hpp") if "#pragma once" not in (ROOT / path).read_text()]


def test_files_stay_short():
    lengths = {str(path): (ROOT / path).read_text().count("\n") for path in sources(".hpp", ".cpp")}

    assert not {path: n for path, n in lengths.items() if n > 400}


def test_no_command_line_has_fast_math():
    commands = json.loads((BUILD / "compile_commands.json").read_text())
    assert len(commands) > 50

    flags = re.compile(r"-ffast-math|-Ofast|-funsafe-math-optimizations|-ffinite-math-only")
    assert not [entry["file"] for entry in commands if flags.search(entry["command"])]


def test_only_kernels_have_flags_of_an_instruction_set():
    commands = json.loads((BUILD / "compile_commands.json").read_text())

    flagged = {Path(entry["file"]).relative_to(ROOT) for entry in commands
               if re.search(r"-m(avx|fma|arch=|sse4)", entry["command"]) and Path(entry["file"]).is_relative_to(ROOT)}
    assert flagged
    assert not {path for path in flagged if path.parent != Path("potentials/engine/kernels")}


def test_kernels_use_neither_containers_nor_eigen():
    kernels = [path for path in sources(".hpp", ".cpp", ".inc") if path.parent == Path("potentials/engine/kernels")]
    assert kernels

    allowed = {"cstdint", "cmath", "cstddef", "immintrin.h", "cstring", "type_traits", "string", "string_view", "cstdlib"}
    for path in kernels:
        if path.name == "dispatch.cpp":  # built without flags of an instruction set
            continue
        strange = {name for name in includes(path) if name not in allowed and "kernels" not in name and name != "body.inc"}
        assert not strange, path


def test_objects_of_kernels_share_no_inline_function():
    objects = sorted((BUILD / "potentials/CMakeFiles/tamiz_engine.dir/engine/kernels").glob("*.o"))
    objects = [path for path in objects if not path.name.startswith("dispatch")]
    assert len(objects) >= 2

    for path in objects:
        symbols = subprocess.run(["nm", "-C", str(path)], capture_output=True, text=True, check=True).stdout
        assert not re.findall(r"^\S* [WVu] .*$", symbols, re.MULTILINE), path.name


def test_every_folder_says_what_lives_there():
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files"], capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: the folders of the project cannot be told from others")
    folders = {parent for line in listed.stdout.splitlines() for parent in Path(line).parents}
    # Tests mirror the source folders, whose pages serve for both; data of one set are described above them.
    described = {folder for folder in folders if not folder.parts or folder.parts[0] not in ("tests", ".ci")}
    described = {folder for folder in described if folder.parts[:2] not in (("datasets", "labels"), ("datasets", "runs"))}
    described |= {Path("tests"), Path("datasets/labels")}

    assert not sorted(str(folder) for folder in described if not (ROOT / folder / "README.md").exists())
