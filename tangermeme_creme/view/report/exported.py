"""Links from a page to the tracks and tables that were exported. They hold when the folder of the study is moved."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from ..tests import section_views
from .text import amount

_ENDINGS = {
    "bed": "BED", "bedgraph": "bedGraph", "bw": "bigWig", "interact": "interact (UCSC)", "bedpe": "BEDPE (IGV)",
    "csv": "CSV",
}  # fmt: skip


@dataclass(frozen=True)
class ExportedFile:
    """An exported file. `href` is its path from the page, percent-encoded, or "" if a link would not hold."""

    name: str
    what: str
    size: str
    href: str


def exported_files(folder: Path, page: Path) -> list[ExportedFile]:
    """List the files in the folder `export` beside a page, or in the folder of its study, tracks first.

    Parameters
    ----------
    folder: Path
        The folder of the study.

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
    ending = path.suffix.removeprefix(".")
    kind = _ENDINGS.get(ending, ending)
    what = f"table, {kind}" if ending == "csv" else ", ".join(filter(None, (_content(path.name), kind)))
    href = quote(Path(os.path.relpath(path, home)).as_posix()) if linked else ""
    return ExportedFile(path.name, what, amount(path.stat().st_size), href)


def _content(name: str) -> str:
    beginning = name.split(".", 1)[0]
    return next((view.files[beginning] for view in section_views().values() if beginning in view.files), "")
