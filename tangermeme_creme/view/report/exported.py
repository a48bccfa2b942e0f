"""Files beside a page: the tracks and tables that were exported, as links that hold wherever the study is moved."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from .text import amount

# By the beginning and the ending of a name.
_BEGINNINGS = {
    "cres": "CREs",
    "kept": "bases kept by fine-tile searches",
    "over_control": "sufficiency over control",
    "over_wt": "sufficiency over WT",
    "necessity": "necessity",
    "cre_gene": "links from CREs to genes",
    "tile_pairs": "pairs of tiles that interact",
}
_ENDINGS = {
    "bed": "BED", "bedgraph": "bedGraph", "bw": "bigWig", "interact": "interact (UCSC)", "bedpe": "BEDPE (IGV)",
    "csv": "CSV",
}  # fmt: skip


@dataclass(frozen=True)
class ExportedFile:
    """A file that was exported: where it is from the page, percent-encoded, or "" if a link to it would not hold."""

    name: str
    what: str
    size: str
    href: str


def exported_files(folder: Path, page: Path) -> list[ExportedFile]:
    """What lies in `export` beside a page, or in the folder of its study, tracks first.

    Parameters
    ----------
    folder: Path
        Of the study.

    page: Path

    Returns
    -------
    files: list of ExportedFile
        Links hold if the page lies in the folder of the study, or beside the files.
    """
    folder, home = folder.resolve(), page.resolve().parent
    beside, inside = home / "export", folder / "export"
    place = beside if beside.is_dir() else inside
    if not place.is_dir():
        return []
    linked = place == beside or home.is_relative_to(folder)
    paths = [path for path in place.iterdir() if path.is_file() and not path.name.startswith(".")]
    return [_file(path, home, linked) for path in sorted(paths, key=lambda path: (path.suffix == ".csv", path.name))]


def _file(path: Path, home: Path, linked: bool) -> ExportedFile:
    beginning, ending = path.name.split(".", 1)[0], path.suffix.removeprefix(".")
    kind = _ENDINGS.get(ending, ending)
    what = f"table, {kind}" if ending == "csv" else ", ".join(filter(None, (_BEGINNINGS.get(beginning), kind)))
    href = quote(Path(os.path.relpath(path, home)).as_posix()) if linked else ""
    return ExportedFile(path.name, what, amount(path.stat().st_size), href)
