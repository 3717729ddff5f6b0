"""Every example of the documentation runs, every link leads somewhere, and the report has words for every failure.

In a page of docs/howto, blocks are taken in their order: ```sh runs in a folder of the page, ```<language> <file> is
written to that file, and the ```python blocks without a file name together are one script, run at the end. Blocks
without a language are output, or files as a sketch, and are not run.
"""

import ast
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from support import BUILD, MODEL, ROOT

PAGES = sorted(page for page in (ROOT / "docs" / "howto").glob("*.md") if page.name != "README.md")
BLOCK = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)[^)]*\)")
NEEDS = {"run-a-campaign": "gpaw"}


def blocks(page):
    """(language, file name or "", text) of each fenced block."""
    for header, text in BLOCK.findall(page.read_text()):
        language, _, name = header.partition(" ")
        yield language, name, text


def environment(folder):
    """What a user has after `make build`: the program and the Python on the path."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("TAMIZ")}
    programs = folder / "programs"
    programs.mkdir()
    (programs / "tamiz").symlink_to(BUILD / "bin" / "tamiz")
    (programs / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (programs / "python").chmod(0o755)
    return kept | {"PATH": f"{programs}:{kept['PATH']}", "TAMIZ_PYTHON": sys.executable}


def call(command, folder, known):
    done = subprocess.run(command, cwd=folder, env=known, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_examples_of_a_page_run(page, tmp_path):
    if not MODEL.exists():
        pytest.skip("the examples need the shipped model")
    if page.stem in NEEDS:
        pytest.importorskip(NEEDS[page.stem], reason=f"{page.name} needs {NEEDS[page.stem]}")
    known, folder = environment(tmp_path), tmp_path / "page"
    folder.mkdir()
    script, n_run = "", 0

    for language, name, text in blocks(page):
        if name:
            (folder / name).write_text(text)
        elif language == "sh":
            call(["bash", "-euo", "pipefail", "-c", text], folder, known)
            n_run += 1
        elif language == "python":
            script += text
        else:
            assert not language, f"a block in {language} needs a file name"
    if script:
        call([sys.executable, "-c", script], folder, known)
        n_run += 1

    assert n_run > 0


def test_there_are_pages():
    assert len(PAGES) >= 4


def documents():
    files = subprocess.run(["git", "ls-files", "*.md"], cwd=ROOT, capture_output=True, text=True)
    assert files.returncode == 0, files.stderr
    return [ROOT / line for line in files.stdout.splitlines()]


@pytest.mark.skipif(not (ROOT / ".git").exists() or not shutil.which("git"), reason="not a checkout with git")
def test_links_between_pages_lead_somewhere():
    pages = documents()
    assert len(pages) > 20

    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in pages
        for link in LINK.findall(page.read_text())
        if "://" not in link and not (page.parent / link).exists()
    ]

    assert not broken


def test_the_table_of_campaign_keys_is_complete(tmp_path):
    """The page names every key that the program knows, and no other: an unknown key makes the program list its own."""
    page = (ROOT / "docs" / "howto" / "run-a-campaign.md").read_text()
    documented = {}
    for section, table in re.findall(r"^### `\[(\w+)\]`\n(.*?)(?=^#)", page, re.MULTILINE | re.DOTALL):
        documented[section] = set(re.findall(r"^\| `(\w+)`", table, re.MULTILINE))
    sources = (ROOT / "screening" / "campaign" / "config.cpp").read_text()
    sources += (ROOT / "screening" / "propose" / "options.cpp").read_text()
    known = [set(re.findall(r'"(\w+)"', keys)) for keys in re.findall(r"allow_only\(\{(.*?)\}\)", sources, re.DOTALL)]

    assert len(documented) == 7
    for section, keys in documented.items():
        assert keys in known, f"[{section}] documents {sorted(keys)}"


def test_shipped_campaigns_use_keys_of_the_page():
    page = (ROOT / "docs" / "howto" / "run-a-campaign.md").read_text()
    campaigns = sorted((ROOT / "datasets" / "campaigns").glob("*.toml"))

    assert campaigns
    for file in campaigns:
        for key in re.findall(r"^(\w+) *=", file.read_text(), re.MULTILINE):
            assert f"| `{key}`" in page, f"{file.name}: {key}"


def test_json_of_the_pages_is_json():
    texts = [text for page in PAGES for language, _, text in blocks(page) if language == "json"]

    assert texts
    for text in texts:
        json.loads(text)


@pytest.mark.skipif(not MODEL.exists(), reason="the example needs the shipped model")
def test_the_example_of_the_readme_runs(tmp_path):
    [example] = [text for language, _, text in blocks(ROOT / "README.md") if language == "python"]

    output = call([sys.executable, "-c", example], tmp_path, dict(os.environ))

    assert output.startswith("converged ")


def text_of(node: ast.expr) -> str:
    """A message of the source, with a word where it puts a value."""
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "something" for part in node.values)
    return node.value if isinstance(node, ast.Constant) else "something"


def test_why_a_worker_gives_up_a_label_is_said_in_every_language_of_the_report():
    phrases = json.loads((ROOT / "screening/report/page/phrases.json").read_text())
    known = [re.compile(re.sub(r"\\\{\w+\\\}", ".+", re.escape(phrase["en"]))) for phrase in phrases]
    messages = [text_of(call.args[0]) for file in (ROOT / "python/tamiz/workers").glob("*.py") for call in ast.walk(ast.parse(file.read_text()))
                if isinstance(call, ast.Call) and ast.unparse(call.func).endswith("LabelFailure")]

    assert len(messages) >= 10
    assert [message for message in messages if not any(phrase.fullmatch(message) for phrase in known)] == []
    assert all(set(phrase) == {"en", "es", "ca", "gl", "eu"} for phrase in phrases)
