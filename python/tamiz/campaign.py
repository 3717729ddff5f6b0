"""Campaigns: run one, go on with one, and read what it found."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import _tamiz
from .convert import Structure
from .errors import Error, FileError

if TYPE_CHECKING:
    import pandas

LEDGER = "ledger.tz"
CONFIG = "campaign.toml"

TABLE_COLUMNS = ["rank", "id", "formula", "system", "outcome", "status", "e_hull", "e_hull_model", "e_hull_std",
                 "e_hull_dft", "e_hull_corrected", "formation_energy", "space_group", "space_group_number", "n_atoms",
                 "volume_per_atom", "gap", "gap_direct", "gap_kind", "gap_level", "dynamic_stability", "phonon_lowest", "known",
                 "known_source", "origin",
                 "prototype", "decoration", "reason"]


def _row(candidate: dict[str, Any]) -> dict[str, Any]:
    """Columns of one candidate; what is not known is missing."""
    model, dft = candidate.get("model") or {}, candidate.get("dft") or {}
    group, gap = candidate.get("space_group_after") or {}, candidate.get("gap") or {}
    known, phonons = candidate.get("known") or {}, candidate.get("phonons") or {}
    row = {key: candidate.get(key) for key in TABLE_COLUMNS if not isinstance(candidate.get(key), dict)}
    row.update(
        e_hull=dft.get("e_hull", model.get("e_hull")), e_hull_model=model.get("e_hull"),
        e_hull_std=model.get("e_hull_std"), e_hull_dft=dft.get("e_hull"), e_hull_corrected=dft.get("e_hull_corrected"),
        formation_energy=dft.get("formation_energy", model.get("formation_energy")), space_group=group.get("symbol"),
        space_group_number=group.get("number"), gap=gap.get("value"), gap_direct=gap.get("direct"),
        gap_kind=gap.get("kind"), gap_level=gap.get("level"), phonon_lowest=phonons.get("lowest"), known=known.get("name"), known_source=known.get("source"))
    return row


class Campaign:
    """The run folder of a campaign: its ledger, and what follows from it.

    Reading needs no lock, so a campaign can be watched while another process runs it. All energies are eV/atom,
    gaps eV, costs core-seconds.
    """

    def __init__(self, config: Path, folder: Path):
        self._config = config
        self.folder = folder
        self._summary: dict[str, Any] | None = None
        self._summary_of = -1

    @classmethod
    def open(cls, folder: str | os.PathLike) -> Campaign:
        """A campaign that was begun before. Raises FileError where `folder` holds none."""
        path = Path(folder)
        for name in (LEDGER, CONFIG):
            if not (path / name).is_file():
                raise FileError(f"{path} is not a run folder: expected {name} in it; begin one with "
                                "tamiz.Campaign.start(config, folder) or `tamiz discover`")
        return cls(path / CONFIG, path)

    @classmethod
    def start(cls, config: str | os.PathLike, folder: str | os.PathLike) -> Campaign:
        """A new campaign by a campaign file, in a folder that holds none; nothing happens before :meth:`run`."""
        path = Path(folder)
        if (path / LEDGER).exists() and (path / CONFIG).exists():
            raise FileError(f"{path} holds a campaign already: go on with tamiz.Campaign.open, or choose another folder")
        return cls(Path(config), path)

    def run(self) -> bool:
        """Runs to the end, or goes on where the ledger ends; True when the campaign is finished.

        Ctrl-C stops it between two steps, with the ledger whole, and raises KeyboardInterrupt; another call goes on.
        Raises FileError when another process runs it, OracleError when DFT cannot be started.
        """
        return _tamiz.run_campaign(self._config, self.folder, (self.folder / LEDGER).exists())

    def summary(self) -> dict[str, Any]:
        """Everything that the report shows; the keys are described in screening/report/README.md."""
        ledger = self.folder / LEDGER
        if not ledger.is_file():
            raise FileError(f"{self.folder} has no ledger yet: call run() first")
        size = ledger.stat().st_size
        if self._summary is None or size != self._summary_of:
            self._summary = json.loads(_tamiz.campaign_summary(self.folder))
            self._summary_of = size
        return self._summary

    def ledger(self) -> list[dict[str, Any]]:
        """Every record of the ledger, oldest first; each has a ``kind``."""
        return [json.loads(record) for record in _tamiz.ledger_records(self.folder / LEDGER)]

    @property
    def name(self) -> str:
        return self.summary()["campaign"]["name"]

    @property
    def question(self) -> str:
        return self.summary()["campaign"]["question"]

    @property
    def finished(self) -> bool:
        return any(record["kind"] == "finished" for record in self.ledger())

    def table(self, ranked_only: bool = False) -> pandas.DataFrame:
        """One row per candidate in the order of the ranking.

        ``e_hull`` is what the candidate is ranked by: DFT on the DFT hull where there is a label, else the model on
        the model's hulls; ``status`` says which (predicted, DFT-checked, known phase, DFT-confirmed).
        """
        import pandas

        rows = [_row(candidate) for candidate in self.summary()["candidates"]]
        table = pandas.DataFrame(rows, columns=TABLE_COLUMNS)
        table["rank"] = table["rank"].astype("Int64")
        return table[table["outcome"] == "ranked"] if ranked_only else table

    def labels(self) -> pandas.DataFrame:
        """One row per label: who was asked for, why, what it cost, E_hull predicted before and by DFT."""
        import pandas

        columns = ["round", "candidate", "formula", "task", "status", "reason", "cost", "cached", "predicted", "sigma",
                   "dft", "why"]
        rows = [{"round": entry["round"], **label} for entry in self.summary()["rounds"] for label in entry["labels"]]
        return pandas.DataFrame(rows, columns=columns)

    def parity(self) -> pandas.DataFrame:
        """E_hull by the model before it saw the label, with its uncertainty, and by DFT."""
        import pandas

        return pandas.DataFrame(self.summary()["parity"],
                                columns=["id", "formula", "round", "model", "sigma", "dft"])

    def competing(self) -> pandas.DataFrame:
        """The known phases that the hulls are made of."""
        import pandas

        return pandas.DataFrame(self.summary()["competing"])

    def budget(self) -> pandas.DataFrame:
        """Per round: labels allowed, asked for and failed, their cost, and whether the new model was adopted.

        The round behind the last one holds the band gaps of the best candidates.
        """
        import pandas

        settings = self.summary()["campaign"]["settings"]
        n_rounds = settings["decide"]["rounds"]
        rows = []
        for entry in self.summary()["rounds"]:
            is_gap_round = entry["round"] >= n_rounds
            rows.append({"round": entry["round"], "purpose": "gaps" if is_gap_round else "energies",
                         "allowed": settings["label"]["gaps"] if is_gap_round else settings["decide"]["labels_per_round"],
                         "labels": len(entry["labels"]),
                         "failed": sum(label["status"] != "finished" for label in entry["labels"]),
                         "cost": entry["cost"], "adopted": (entry.get("training") or {}).get("adopted")})
        return pandas.DataFrame(rows, columns=["round", "purpose", "allowed", "labels", "failed", "cost", "adopted"])

    def cost(self) -> dict[str, float]:
        """Core-seconds of all labels, of failed ones, and of those that an interruption cut off."""
        return self.summary()["cost"]

    def candidate(self, candidate_id: str) -> dict[str, Any]:
        """Everything that is known of one candidate."""
        for candidate in self.summary()["candidates"]:
            if candidate["id"] == candidate_id:
                return candidate
        raise Error(f"no candidate '{candidate_id}' in {self.folder}: ids are in table()['id']")

    def structure(self, candidate_id: str) -> Structure:
        """The geometry of a candidate: that of its DFT label where there is one, that of the known phase that it is, else by the model. Raises Error where it was lost."""
        candidate = self.candidate(candidate_id)
        if "structure" not in candidate:
            raise Error(f"candidate '{candidate_id}' has no geometry: {candidate.get('reason') or candidate['status']}")
        found = candidate["structure"]
        return Structure(found["symbols"], found["positions"], found["cell"], found.get("pbc"))

    @property
    def model(self) -> Path:
        """File of the model that the campaign goes on with: the last one that it adopted, else the one it began with."""
        file = self.summary()["model"]["file"]
        own = self.folder / file
        return own if own.exists() else Path(_tamiz.data_directory()) / file

    def write_report(self) -> Path:
        """Writes report.html and the tables again from the ledger; returns the path of the page."""
        _tamiz.rewrite_report(self.folder)
        return self.report

    @property
    def report(self) -> Path:
        """Path of the page, which is there once the campaign is finished."""
        return self.folder / "report.html"

    def __repr__(self) -> str:
        return f"Campaign({str(self.folder)!r})"
