"""What is promised about the package itself: its types, its links, what it loads."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import tamiz
from support import ROOT

STUB = ast.parse((ROOT / "python" / "tamiz" / "_tamiz.pyi").read_text())


def stub_names(body):
    names = {node.name for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    return names | {node.target.id for node in body if isinstance(node, ast.AnnAssign)}


def public(item):
    return {name for name in dir(item) if not name.startswith("_")}


def test_the_stub_names_what_the_module_has():
    assert stub_names(STUB.body) == public(tamiz._tamiz)


def test_the_stub_names_what_each_class_has():
    classes = [node for node in STUB.body if isinstance(node, ast.ClassDef)]
    assert len(classes) >= 12

    for node in classes:
        written = {name for name in stub_names(node.body) if not name.startswith("_")}
        assert written == public(getattr(tamiz._tamiz, node.name)), node.name


def test_everything_in_all_is_there_and_documented():
    for name in tamiz.__all__:
        item = getattr(tamiz, name)
        assert item.__doc__, name


def test_import_loads_neither_ase_nor_pandas_nor_torch():
    script = "import sys, tamiz; print([m for m in ('ase', 'pymatgen', 'pandas', 'matplotlib', 'torch') if m in sys.modules])"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=120)

    assert done.stdout.strip() == "[]"


def test_types_are_shipped():
    folder = Path(tamiz.__file__).parent

    assert (folder / "py.typed").exists() and (folder / "_tamiz.pyi").exists()


def test_the_example_of_the_readme_runs(monkeypatch):
    monkeypatch.chdir(ROOT)
    [example] = re.findall(r"```python\n(.*?)```", (ROOT / "python" / "README.md").read_text(), re.S)

    names: dict = {}
    exec(example, names)  # noqa: S102

    assert names["relaxed"].converged and names["run"].step == 1000
