"""Opens the campaign report in headless Chromium and looks at what the page made of its data.

A probe script is added to a copy of the page: it clicks as a reader would and writes what it saw into the document,
which Chromium prints. `TAMIZ_BUILD_DIR` names the build folder (default: `build` beside `tests`).
"""

import copy
import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("TAMIZ_BUILD_DIR", ROOT / "build"))
SUMMARY = ROOT / "tests/screening/report/summary.json"
TEXTS = json.loads((ROOT / "screening/report/page/i18n.json").read_text())
PHRASES = json.loads((ROOT / "screening/report/page/phrases.json").read_text())
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)")


@pytest.fixture
def summary():
    return json.loads(SUMMARY.read_text())


def render(summary, folder):
    """Path of the page that the library makes of a summary."""
    source = folder / "summary.json"
    source.write_text(json.dumps(summary))
    program = BUILD / "bin/render_report_fixture"
    assert program.exists(), f"{program} is missing: build the target render_report_fixture, or set TAMIZ_BUILD_DIR"
    subprocess.run([program, source, folder / "run"], check=True)
    return folder / "run/report.html"


def look(page, probe="", fragment="lang=en", **window):
    """Opens the page, runs `probe` (JavaScript that fills `seen`) and returns `seen` and the document's text."""
    script = (
        "<script>(async () => { const seen = {}; const settle = () => new Promise((done) => setTimeout(done, 120));"
        f"try {{ await settle(); {probe} }} catch (error) {{ seen.probe_error = String(error); }}"
        "seen.errors = Number(document.documentElement.dataset.errors);"
        "seen.last_error = document.documentElement.dataset.lastError || '';"
        "seen.requests = performance.getEntriesByType('resource').map((entry) => entry.name);"
        "const out = document.createElement('pre'); out.id = 'seen'; out.textContent = JSON.stringify(seen);"
        "document.body.append(out); })();</script>"
    )
    probed = page.with_name("probed.html")
    probed.write_text(page.read_text().replace("</body>", script + "</body>"))
    size = f"--window-size={window.get('width', 1400)},{window.get('height', 1000)}"
    done = subprocess.run(
        [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=60000", size,
         f"--user-data-dir={page.parent / 'profile'}", "--dump-dom", f"{probed.as_uri()}#{fragment}"],
        capture_output=True, text=True, timeout=120)
    found = re.findall(r'<pre id="seen">(.*?)</pre>', done.stdout, re.S)
    assert found, f"the page did not finish: {done.stderr[-2000:]}"
    seen = json.loads(html.unescape(found[-1]))
    assert "probe_error" not in seen, seen
    assert seen["errors"] == 0, seen["last_error"]
    assert seen["requests"] == []
    return seen


def test_every_ranked_candidate_has_a_row_in_order(summary, tmp_path):
    ranked = [c for c in summary["candidates"] if c["outcome"] == "ranked"]
    summary["candidates"].reverse()

    seen = look(render(summary, tmp_path),
                "seen.rows = [...document.querySelectorAll('.candidate-row')].map((row) => row.dataset.id);")

    assert len(ranked) > 3
    assert seen["rows"] == [c["id"] for c in sorted(ranked, key=lambda c: c["rank"])]


def test_incomplete_hulls_stand_apart_and_unranked(summary, tmp_path):
    incomplete = [c["id"] for c in summary["candidates"] if c["outcome"] == "hull incomplete"]

    seen = look(render(summary, tmp_path),
                "seen.apart = document.getElementById('hull-incomplete').textContent;"
                "seen.rows = [...document.querySelectorAll('.candidate-row')].map((row) => row.dataset.id);")

    assert incomplete
    for name in incomplete:
        assert name in seen["apart"]
        assert name not in seen["rows"]


def test_status_words_are_exact(summary, tmp_path):
    seen = look(render(summary, tmp_path),
                "seen.words = [...document.querySelectorAll('.candidate-row')].map((row) => "
                "[row.dataset.id, row.querySelector('.badge').textContent, row.textContent.includes('dynamic stability not tested')]);")

    expected = [[c["id"], c["status"], True] for c in summary["candidates"] if c["outcome"] == "ranked"]
    assert seen["words"] == expected


def test_what_vibrations_say_is_shown(summary, tmp_path):
    stable, unstable, refused = summary["candidates"][:3]
    stable.update(dynamic_stability="stable", phonons={"lowest": 1.234, "wave_vector": [0.5, 0.0, 0.0], "copies": [2, 2, 3], "n_atoms": 192, "tolerance": 0.2})
    unstable.update(dynamic_stability="unstable", phonons={"lowest": -2.12, "wave_vector": [0.0, 0.5, 0.25], "copies": [3, 2, 2], "n_atoms": 96})
    refused.update(phonons={"reason": "the model relaxes it into another crystal"})

    seen = look(render(summary, tmp_path), """
        document.querySelectorAll('.opener').forEach((opener) => opener.click());
        await settle();
        seen.rows = [...document.querySelectorAll('.candidate-row')].map((row) => row.textContent).slice(0, 3);
        seen.details = [...document.querySelectorAll('.detail')].map((part) => part.textContent).slice(0, 3);""", fragment="lang=es")

    texts = TEXTS["es"]
    assert texts["dynamic_stable"].replace("{x}", "−0,20\u00a0THz") in seen["rows"][0]
    assert texts["dynamic_unstable"].replace("{x}", "−2,12\u00a0THz") in seen["rows"][1]
    assert texts["dynamic_not_tested"] in seen["rows"][2]
    assert "1,23\u00a0THz (0,50 0,00 0,00)" in seen["details"][0] and "2 × 2 × 3, 192 átomos" in seen["details"][0]
    assert "el modelo lo relaja hasta otro cristal" in seen["details"][2]


def test_answer_counts_what_the_data_hold(summary, tmp_path):
    seen = look(render(summary, tmp_path), "seen.answer = document.querySelector('.answer').textContent;")

    confirmed = [c for c in summary["candidates"] if c.get("status") == "DFT-confirmed"]
    assert f"{len(confirmed)} are DFT-confirmed" in seen["answer"]
    assert "2 on the convex hull and 1 more" in seen["answer"]
    assert "MgSiN2" in seen["answer"] and "ZnGeN2" in seen["answer"]


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_languages_switch_and_nothing_stays_untranslated(language, summary, tmp_path):
    seen = look(render(summary, tmp_path), f"""
        const choice = document.getElementById('language');
        choice.value = '{language}';
        choice.dispatchEvent(new Event('change'));
        document.querySelectorAll('.opener').forEach((opener) => opener.click());
        await settle();
        const copy = document.getElementById('page').cloneNode(true);
        seen.text = copy.textContent;
        seen.markup = copy.innerHTML;
        seen.lang = document.documentElement.lang;
        seen.hash = location.hash;""", fragment="lang=" + ("es" if language == "en" else "en"))

    assert seen["lang"] == language
    assert f"lang={language}" in seen["hash"]
    assert "⟦" not in seen["markup"]
    assert "undefined" not in seen["text"] and "NaN" not in seen["text"] and "[object" not in seen["text"]
    assert not re.search(r"\{\w+\}", seen["text"].replace(summary["campaign"]["config_text"], ""))
    for key in ("section_ranked", "section_stability", "e_hull_meaning", "dynamic_not_tested"):
        assert TEXTS[language][key] in seen["text"]
    decimal = "−1.428" if language == "en" else "−1,428"
    assert decimal in seen["text"]


def test_texts_of_all_languages_have_the_same_places():
    def places(entry):
        parts = entry.values() if isinstance(entry, dict) else [entry]
        return {name for part in parts for name in re.findall(r"\{(\w+)\}", part)}

    for language, entries in TEXTS.items():
        assert entries.keys() == TEXTS["en"].keys(), language
        for key, entry in entries.items():
            assert places(entry) == places(TEXTS["en"][key]), (language, key)
            assert all(part.strip() for part in (entry.values() if isinstance(entry, dict) else [entry]))


def test_words_of_the_program_have_texts():
    origins = set(re.findall(r'\{"", \S+, "(\w+)"', (ROOT / "screening/propose/propose.cpp").read_text()))
    words = {"origin": origins, "outcome": {"hull_incomplete", "duplicate", "failed"}, "task": {"relax", "single_point", "gap"}}

    assert len(origins) == 4
    for texts in TEXTS.values():
        assert [f"{kind}_{word}" for kind, them in words.items() for word in them if f"{kind}_{word}" not in texts] == []


def test_sentences_of_the_program_are_known_in_all_languages():
    folders = {"screening/campaign": "*.cpp", "screening/oracle": "*.cpp", "core/simulation": "*.cpp", "python/tamiz/workers": "*.py"}
    lines = [line for folder, names in folders.items() for path in sorted((ROOT / folder).glob(names))
             for line in path.read_text().splitlines()]
    words = "".join("".join(re.findall(r'"((?:[^"\\]|\\.)*)"', line)) for line in lines)
    for phrase in PHRASES:
        assert phrase.keys() == TEXTS.keys()
        for part in re.split(r"\{\w+\}", phrase["en"]):
            for piece in re.split(r" on |label| held|[,:] |; ", part):
                assert piece.strip() in words, f"no source writes {piece!r} of {phrase['en']!r}"
        for text in phrase.values():
            assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", phrase["en"])), text


@pytest.mark.parametrize("language", sorted(TEXTS))
def test_sentences_of_the_program_are_translated(language, tmp_path):
    """On the report of the shipped run, which has sentences as the program writes them."""
    run = tmp_path / "run"
    shutil.copytree(ROOT / "datasets/runs/nitrides-example", run)
    done = subprocess.run([BUILD / "bin/tamiz", "report", run], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    report = json.loads((run / "report.json").read_text())

    seen = look(run / "report.html", """
        document.querySelectorAll('details').forEach((part) => { part.open = true; });
        document.querySelectorAll('.opener').forEach((opener) => opener.click());
        await settle();
        seen.english = [...document.querySelectorAll('#page [lang=en]:not(option)')].map((node) => node.textContent);
        seen.text = document.getElementById('page').textContent;
        seen.phrase = Phrases.translated('probability 0.58 of E_hull below 100 meV/atom');""", fragment=f"lang={language}")

    for phrase in PHRASES[-7:]:
        assert phrase[language] in seen["text"]
    assert "0.58" in seen["phrase"] if language == "en" else "0,58" in seen["phrase"]
    of_others = {report["campaign"]["question"], report["corrections"]["text"]}
    assert set(seen["english"]) <= of_others


def test_pictures_are_not_blank_and_turn(summary, tmp_path):
    seen = look(render(summary, tmp_path), """
        const colours = (canvas) => {
          const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
          const found = new Set();
          for (let i = 0; i < data.length; i += 4) if (data[i + 3]) found.add(data[i] << 16 | data[i + 1] << 8 | data[i + 2]);
          return found.size;
        };
        document.querySelector('.opener').click();
        await settle();
        const viewer = document.querySelector('.viewer');
        const before = viewer.toDataURL();
        viewer.dispatchEvent(new KeyboardEvent('keydown', { key: 'ArrowLeft' }));
        seen.turned = viewer.toDataURL() !== before;
        seen.viewer = colours(viewer);
        const buttons = [...document.querySelectorAll('.controls button')];
        const single = viewer.toDataURL();
        buttons[1].click();
        seen.supercell = viewer.toDataURL() !== single;
        const thumbnail = document.querySelector('.thumbnail');
        thumbnail.scrollIntoView();
        for (let i = 0; i < 300 && !colours(thumbnail); ++i) await settle();
        seen.thumbnail = colours(thumbnail);
        seen.label = viewer.getAttribute('aria-label');""")

    assert seen["viewer"] > 200
    assert seen["thumbnail"] > 100
    assert seen["turned"] and seen["supercell"]
    assert "MgSiN2" in seen["label"]


def test_table_sorts_and_filters(summary, tmp_path):
    seen = look(render(summary, tmp_path), """
        const rows = () => [...document.querySelectorAll('.candidate-row')].map((row) => row.dataset.id);
        document.querySelector('th[data-key=formation] button').click();
        seen.by_energy = rows();
        document.querySelector('th[data-key=formation] button').click();
        seen.descending = rows();
        const status = document.querySelector('select[data-filter=status]');
        status.value = 'DFT-confirmed';
        status.dispatchEvent(new Event('change'));
        seen.confirmed = rows();
        const inputs = [...document.querySelectorAll('.filters input')];
        inputs[3].value = '20';
        inputs[3].dispatchEvent(new Event('input'));
        seen.near = rows();
        inputs[1].value = '1,5';
        inputs[1].dispatchEvent(new Event('input'));
        seen.gapped = rows();""")

    ranked = {c["id"]: c for c in summary["candidates"] if c["outcome"] == "ranked"}

    def formation(name):
        return ranked[name].get("dft", {}).get("formation_energy", ranked[name]["model"]["formation_energy"])

    assert seen["by_energy"] == sorted(ranked, key=formation)
    assert seen["descending"] == sorted(ranked, key=formation, reverse=True)
    assert set(seen["confirmed"]) == {n for n, c in ranked.items() if c["status"] == "DFT-confirmed"}
    assert set(seen["near"]) == {n for n in seen["confirmed"] if ranked[n]["dft"]["e_hull"] <= 0.020}
    assert set(seen["gapped"]) == {n for n in seen["near"] if ranked[n]["gap"].get("value", 0) >= 1.5}


def test_keyboard_focus_stays_where_it_was(summary, tmp_path):
    seen = look(render(summary, tmp_path), """
        const opener = document.querySelectorAll('.opener')[1];
        opener.focus();
        opener.click();
        seen.open = [opener.getAttribute('aria-expanded'), document.querySelectorAll('tr.opened').length, document.activeElement === opener];
        opener.click();
        seen.closed = [opener.getAttribute('aria-expanded'), document.querySelectorAll('tr.opened').length, document.activeElement === opener];
        document.getElementById('theme').focus();
        document.getElementById('theme').click();
        seen.control = document.activeElement.id;
        seen.theme = document.documentElement.dataset.theme;""")

    assert seen["open"] == ["true", 1, True]
    assert seen["closed"] == ["false", 0, True]
    assert seen["control"] == "theme" and seen["theme"] == "dark"


def test_downloads_offer_the_recorded_files(summary, tmp_path):
    seen = look(render(summary, tmp_path), """
        // What a blob holds is taken where it is made: reading it back runs beside the page's own time.
        const offered = [];
        const texts = new Map();
        const PlainBlob = Blob;
        window.Blob = class extends PlainBlob {
          constructor(parts, options) { super(parts, options); this.written = parts.join(''); }
        };
        const make = URL.createObjectURL;
        URL.createObjectURL = (blob) => { const url = make(blob); texts.set(url, blob.written); return url; };
        HTMLAnchorElement.prototype.click = function () { offered.push([this.download, this.href]); };
        document.querySelector('.candidate-row').querySelectorAll('.download').forEach((button) => button.click());
        seen.files = offered.map(([name, url]) => [name, texts.get(url)]);""")

    first = summary["candidates"][0]
    assert dict(seen["files"]) == {"c0007_MgSiN2.cif": first["cif"], "c0007_MgSiN2.py": first["gpaw_input"]}


def leaves(value, name=""):
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from leaves(inner, f"{name}.{key}" if name else key)
    else:
        yield name, value


def test_every_setting_and_recorded_value_is_shown(summary, tmp_path):
    summary["campaign"]["settings"]["something_new"] = {"inner": "value-of-a-newer-program"}
    summary["newer"] = {"part": "kept-visible"}
    summary["candidates"][0]["newer_key"] = "kept-visible-too"

    seen = look(render(summary, tmp_path),
                "document.querySelector('.opener').click(); await settle(); seen.text = document.getElementById('page').textContent;")

    campaign = summary["campaign"]
    for name, value in [*leaves(campaign["settings"]), *leaves(campaign["level"]), *leaves(summary["model"]["card"]),
                        *leaves(summary["model"]["description"])]:
        assert name in seen["text"], name
        if isinstance(value, str):
            assert value in seen["text"], name
    for phase in summary["competing"]:
        assert phase["name"] in seen["text"] and phase["source"] in seen["text"]
    for round_ in summary["rounds"]:
        assert round_["training"]["reason"] in seen["text"]
        for label in round_["labels"]:
            assert label["why"] in seen["text"] and label["reason"] in seen["text"]
    for text in (campaign["config_text"], campaign["question"], "value-of-a-newer-program", "kept-visible",
                 "kept-visible-too", summary["corrections"]["n2_error_note"], summary["limits"][0], "PBE gaps are too small."):
        assert text in seen["text"], text


def test_every_figure_is_drawn_and_described(summary, tmp_path):
    seen = look(render(summary, tmp_path),
                "seen.figures = [...document.querySelectorAll('figure')].map((figure) => { const drawing = figure.querySelector('.plot svg');"
                "return [figure.querySelector('h3').textContent, drawing ? drawing.querySelectorAll('circle,rect,path').length : 0,"
                "drawing ? drawing.getAttribute('aria-label') : '', drawing ? drawing.outerHTML.includes('NaN') : true]; });")

    titles = [figure[0] for figure in seen["figures"]]
    for system in summary["systems"]:
        assert system["name"] in titles
    for key in ("distribution_title", "correction_title", "mu_title", "gap_title", "costs_title", "energy_mae_title", "force_mae_title", "residual_title"):
        assert TEXTS["en"][key] in titles
    for title, marks, label, broken in seen["figures"]:
        assert marks > 0, title
        assert label, title
        assert not broken, title


def test_figures_stand_before_the_next_frame(summary, tmp_path):
    seen = look(render(summary, tmp_path),
                "Page.render(); seen.drawn = [...document.querySelectorAll('.plot')].filter((plot) => plot.clientWidth).map((plot) => Boolean(plot.firstChild));")

    assert len(seen["drawn"]) > 8
    assert all(seen["drawn"])


def test_hostile_names_stay_text(summary, tmp_path):
    hostile = "</script><img src=x onerror=\"document.documentElement.dataset.errors=99\"><b>bold</b>"
    for target in (summary["campaign"], summary["competing"][0]):
        target["name"] = hostile
    summary["candidates"][0]["formula"] = hostile
    summary["candidates"][0]["known"] = {"name": hostile, "source": "javascript:alert(1)"}

    seen = look(render(summary, tmp_path),
                "document.querySelector('.opener').click(); await settle();"
                "seen.images = document.images.length; seen.bold = document.querySelectorAll('#page b').length;"
                "seen.links = [...document.links].map((link) => link.protocol); seen.title = document.querySelector('h1').textContent;")

    assert seen["images"] == 0 and seen["bold"] == 0
    assert "javascript:" not in seen["links"]
    assert seen["title"] == hostile


def many(summary):
    ranked = [c for c in summary["candidates"] if c["outcome"] == "ranked"]
    rows = []
    for k in range(500):
        row = copy.deepcopy(ranked[k % len(ranked)])
        row.update(id=f"x{k:04d}", rank=k + 1)
        rows.append(row)
    return {**summary, "candidates": rows}


@pytest.mark.parametrize("name, make, rows", [
    ("nothing", lambda s: {}, 0),
    ("no candidates", lambda s: {**s, "candidates": [], "rounds": [], "parity": []}, 0),
    ("five hundred", many, 500),
    ("bare candidates", lambda s: {"candidates": [{"outcome": "ranked"}, {"outcome": "ranked", "dft": None, "model": None, "structure": {}}, {}]}, 2),
    ("nulls", lambda s: {**s, "campaign": None, "cost": None, "model": None, "corrections": None, "limits": None, "systems": None}, 7),
    ("empty entries", lambda s: {"funnel": [{}], "systems": [{}], "competing": [{}], "rounds": [{}, {"labels": [{}]}], "parity": [{}], "limits": [None]}, 0),
])
def test_page_stands_whatever_is_missing(name, make, rows, summary, tmp_path):
    seen = look(render(make(summary), tmp_path),
                "seen.rows = document.querySelectorAll('.candidate-row').length; seen.sections = document.querySelectorAll('section').length;"
                "seen.text = document.getElementById('page').textContent;")

    assert seen["rows"] == rows
    assert seen["sections"] == 9
    assert "undefined" not in seen["text"] and "NaN" not in seen["text"]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_text_has_enough_contrast(theme, summary, tmp_path):
    seen = look(render(summary, tmp_path), """
        const style = getComputedStyle(document.documentElement);
        const probe = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
        const rgb = (name) => { probe.fillStyle = style.getPropertyValue(name).trim(); probe.fillRect(0, 0, 1, 1);
                                return [...probe.getImageData(0, 0, 1, 1).data].slice(0, 3); };
        for (const name of ['ink', 'muted', 'accent', 'paper', 'panel', 'faint', 'confirmed-text', 'checked-text', 'predicted-text']) seen[name] = rgb('--' + name);""",
                fragment=f"lang=en&theme={theme}")

    def luminance(rgb):
        parts = [v / 255 / 12.92 if v / 255 <= 0.03928 else ((v / 255 + 0.055) / 1.055) ** 2.4 for v in rgb]
        return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]

    for text in ("ink", "muted", "accent", "confirmed-text", "checked-text", "predicted-text"):
        for ground in ("paper", "panel", "faint"):
            high, low = sorted((luminance(seen[text]), luminance(seen[ground])), reverse=True)
            assert (high + 0.05) / (low + 0.05) >= 4.5, (text, ground)


def test_page_does_not_scroll_sideways_on_a_phone(summary, tmp_path):
    page = render(summary, tmp_path)
    frame = ("const frame = document.createElement('iframe'); frame.width = 390; frame.height = 900; frame.src = 'about:blank';"
             "document.body.append(frame); frame.contentDocument.body.append(document.getElementById('page').cloneNode(true));"
             "frame.contentDocument.head.append(document.querySelector('style').cloneNode(true)); await settle();"
             "seen.width = frame.contentDocument.documentElement.scrollWidth; seen.kept = frame.clientWidth; frame.remove();")

    seen = look(page, frame)

    assert seen["kept"] > 300
    assert seen["width"] <= seen["kept"]
