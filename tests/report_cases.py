"""Pages of studies: how to read them, and names that would do harm if they were not inert."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from study_tables import LOCI, TRACKS, Tabled, made_spec, made_tables

from tangermeme_creme.view import StudyFigure, write_page
from tangermeme_creme.view.plots import INK

IMAGE = "<img src=x onerror=alert(1)>"
SCRIPT = "</script><script>alert(1)</script>"
_VOID = {"meta", "link", "img", "input", "br", "wbr"}


class Element(NamedTuple):
    tag: str
    attrs: dict[str, str | None]
    text: str
    within: tuple[str, ...]  # ids of the elements around it


class Page(HTMLParser):
    """Holds every element of a page, with its text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.html, self.elements = html, []
        self._open: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.feed(html)
        self.close()
        assert not self._open, f"left open: {[tag for tag, _, _ in self._open]}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _VOID:
            self.elements.append(Element(tag, dict(attrs), "", self._ids()))
        else:
            self._open.append((tag, dict(attrs), []))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs), "", self._ids()))

    def handle_endtag(self, tag: str) -> None:
        opened, attrs, text = self._open.pop()
        assert opened == tag, f"<{opened}> is closed by </{tag}>"
        self.elements.append(Element(tag, attrs, "".join(text), self._ids()))
        if self._open:
            self._open[-1][2].append("".join(text))

    def handle_data(self, data: str) -> None:
        if self._open:
            self._open[-1][2].append(data)

    def _ids(self) -> tuple[str, ...]:
        return tuple(str(attrs["id"]) for _, attrs, _ in self._open if "id" in attrs)

    def all(self, tag: str, **attrs: str) -> list[Element]:
        wanted = {name.rstrip("_"): value for name, value in attrs.items()}
        return [e for e in self.elements if e.tag == tag and wanted.items() <= e.attrs.items()]

    def one(self, tag: str, **attrs: str) -> Element:
        (element,) = self.all(tag, **attrs)
        return element

    @property
    def sections(self) -> list[str]:
        return [str(e.attrs["id"]) for e in self.all("section")]

    def content(self, key: str) -> pd.DataFrame:
        """Return the table that the script of the page would show."""
        return decoded(json.loads(self.one("script", id=f"data-{key}").text))

    @property
    def contents(self) -> dict[str, pd.DataFrame]:
        keys = [str(e.attrs["id"]) for e in self.all("div", class_="table")]
        return {key: self.content(key) for key in keys}


def decoded(content: dict[str, Any]) -> pd.DataFrame:
    columns = {}
    for column in content["columns"]:
        assert len(column["values"]) == content["rows"]
        values = column["values"]
        if column["kind"] == "text":
            values = [None if value is None else column["levels"][value] for value in values]
        columns[column["name"]] = values
    return pd.DataFrame(columns)


def read_page(path: Path) -> Page:
    return Page(path.read_text(encoding="utf-8"))


def page_of(study: Tabled, **options: Any) -> Page:
    """Write the page of a study and read it, without figures unless `figures` has them."""
    return read_page(write_page(study, **{"figures": [], **options}))  # type: ignore[arg-type]


def drawn(name: str = "one", section: str = "necessity", **texts: str) -> StudyFigure:
    """Draw a figure of a line and a text."""
    figure = Figure(figsize=(3, 2))
    ax = figure.subplots()
    ax.axis("off")
    ax.plot([0, 1], [0, 1], color=INK)
    ax.set_title("ink", color=INK)
    texts = {"title": "A line", "caption": "It rises.", "alt": "0 to 1", **texts}
    return StudyFigure(name, section, **texts, figure=figure)


def harmful(folder: Path) -> Tabled:
    """Make `made_study` with markup in the names of genes and loci, and in messages."""
    tables = made_tables()
    for name, table in tables.items():
        for column in ("example", "source"):
            if column in table:
                tables[name] = tables[name].assign(**{column: table[column].replace("g1", f"{IMAGE}:1")})
    genes = {"AAA": IMAGE, "BBB": SCRIPT, "CCC": "' onmouseover=alert(1) \"x", "DDD": "\u2028&amp;"}
    tables["loci"] = tables["loci"].assign(gene_name=LOCI["gene_name"].replace(genes))
    message = f"{SCRIPT} in {folder}/deep/file.bw"
    tables["failures"] = tables["failures"].assign(message=message)
    return Tabled(folder / "study", made_spec(folder), tables)


def many(folder: Path, n: int) -> Tabled:
    """Make a study of n loci, each with six tiles and two tracks."""
    rng, tables = np.random.default_rng(0), made_tables()
    parts = {"contexts": [], "necessity": []}
    for k in range(n):
        for name in parts:
            table = tables[name]
            parts[name].append(table[table["example"] == "g1"].assign(example=f"L{k:04}"))
    joined = {name: pd.concat(rows, ignore_index=True) for name, rows in parts.items()}
    joined["necessity"]["necessity"] = rng.normal(size=len(joined["necessity"]))
    loci = pd.concat([LOCI.head(1)] * n, ignore_index=True)
    loci = loci.assign(example=[f"L{k:04}" for k in range(n)], gene_name=[f"GENE{k}" for k in range(n)])
    return Tabled(folder / "study", made_spec(folder), {"loci": loci, **joined})


__all__ = ["IMAGE", "SCRIPT", "TRACKS", "Page", "decoded", "drawn", "harmful", "many", "page_of", "read_page"]
