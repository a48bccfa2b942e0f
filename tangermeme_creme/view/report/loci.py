"""The parts of a page that show one locus each: every test on one axis, and a table of its CREs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from ...analysis import effect_in
from ...sequence import tile_grid
from ...study.spec import StudySpec, track_names, window_center, window_length
from ...study.tables import placed_loci
from .locus_picture import locus_svg
from .row_types import HeadingRow
from .rows import NumberedTile, picture_rows
from .text import number, without_folders

LOCI = 2_000  # largest number of loci with a part on the page
Tables = Mapping[str, pd.DataFrame]


@dataclass(frozen=True)
class LocusInTrack:
    """A locus in one track: the category of its context, the context effect, and the number of its CREs."""

    track: str
    context: str
    effect: str
    cres: str


@dataclass(frozen=True)
class LocusPart:
    """The part of a locus on the page. `svg` is markup; the other fields are text."""

    key: str
    name: str
    example: str
    place: str
    tracks: list[LocusInTrack]
    svg: str
    columns: list[str]
    cres: list[list[str]]
    failures: list[str]


class ByLocus:
    """Looks up the rows of a table by locus and track. Rows are grouped once, for pages of a thousand loci."""

    def __init__(self, table: pd.DataFrame) -> None:
        keys = [name for name in ("example", "track") if name in table.columns]
        self.columns = {str(name): table[name].to_numpy() for name in table.columns}
        grouped = table.groupby(keys, sort=False, observed=True).indices if len(keys) == 2 and len(table) else {}
        self.indices: Mapping[Any, np.ndarray] = grouped

    def rows(self, example: str, track: str) -> dict[str, np.ndarray]:
        """Return the columns of these rows, or {} without rows."""
        index = self.indices.get((example, track))
        return {} if index is None else {name: values[index] for name, values in self.columns.items()}


def selected_loci(tables: Tables) -> list[str]:
    """List the loci that were drawn for the tests in any track, in the order of the study."""
    contexts = tables.get("contexts", pd.DataFrame())
    if not len(contexts):
        return []
    return list(dict.fromkeys(contexts.loc[contexts["selected"].astype(bool), "example"].astype(str)))


def gene_names(tables: Tables) -> dict[str, str]:
    """Return names of genes by locus, without loci that have none."""
    loci = tables.get("loci", pd.DataFrame())
    if "gene_name" not in loci:
        return {}
    named = loci[loci["gene_name"].notna() & (loci["gene_name"] != "")]
    return dict(zip(named["example"].astype(str), named["gene_name"].astype(str)))


def loci_of(spec: StudySpec, tables: Tables, names: Sequence[str]) -> Iterator[LocusPart]:
    """Make the parts of these loci, numbered from 1.

    Parameters
    ----------
    spec: StudySpec

    tables: mapping of str to pandas.DataFrame
        The tables of a study by name.

    names: sequence of str

    Yields
    ------
    locus: LocusPart
    """
    by_locus = {name: ByLocus(table) for name, table in tables.items() if "track" in table.columns}
    genes, places = gene_names(tables), placed_loci(tables.get("loci", pd.DataFrame()))
    failures = _failures(tables)
    length, tss = window_length(spec), window_center(spec)
    center = tile_grid(length, spec.tiles.size, tss).center
    for k, name in enumerate(names, start=1):
        place = places.loc[name] if name in places.index else None
        drawn = [track for track in track_names(spec) if _context(by_locus, name, track).get("selected", [False])[0]]
        gene = genes.get(name, name)
        rows = picture_rows(by_locus, name, drawn, tss)
        tests = dict.fromkeys(row.label for row in rows if not isinstance(row, HeadingRow))
        columns, cres = _cres(by_locus, name, drawn, tss, place is not None)
        yield LocusPart(
            key=f"locus-{k}",
            name=gene,
            example=name,
            place="" if place is None else f"{place['chrom']}:{place['tss']} {place['strand']}",
            tracks=[_in_track(by_locus, name, track) for track in drawn],
            svg="" if not rows else locus_svg(
                f"Tests of {gene} along its window",
                f"{', '.join(tests)}, from {-tss / 1000:g} to {(length - tss) / 1000:g} kb around the TSS; {len(cres)} "
                "CREs, in the table below.",
                rows, window=(-tss, length - tss), tss_tile=(center[0] - tss, center[1] - tss),
            ),
            columns=columns,
            cres=cres,
            failures=failures.get(name, []),
        )  # fmt: skip


def _context(by_locus: Mapping[str, ByLocus], name: str, track: str) -> dict[str, np.ndarray]:
    return by_locus["contexts"].rows(name, track)


def _in_track(by_locus: Mapping[str, ByLocus], name: str, track: str) -> LocusInTrack:
    row = _context(by_locus, name, track)
    cres = by_locus["cres"].rows(name, track).get("cre", np.array([])) if "cres" in by_locus else np.array([])
    counts = [(kind, int((cres == kind).sum())) for kind in ("enhancer", "silencer")]
    called = ", ".join(f"{n} {kind}{'s' if n > 1 else ''}" for kind, n in counts if n)
    context = "undefined" if pd.isna(row["context"][0]) else str(row["context"][0])
    return LocusInTrack(track, context, number(row[effect_in(row, "context_effect")][0]), called)


def _failures(tables: Tables) -> dict[str, list[str]]:
    table = tables.get("failures", pd.DataFrame())
    messages: dict[str, list[str]] = {}
    for row in table.itertuples() if len(table) else ():
        where = ", ".join(part for part in (row.stage, row.what) if part)
        messages.setdefault(str(row.example), []).append(without_folders(f"{where}: {row.error}: {row.message}"))
    return messages


def _cres(
    by_locus: Mapping[str, ByLocus], name: str, tracks: Sequence[str], tss: int, placed: bool
) -> tuple[list[str], list[list[str]]]:
    """Write the CREs of a locus as text. Columns that are empty for all of them are left out."""
    rows: list[dict[str, str]] = []
    for track in tracks if "cres" in by_locus else ():
        cres = by_locus["cres"].rows(name, track)
        tests = {
            table: by_locus[table].rows(name, track)
            for table in ("cres_genome", "necessity", "multiplicity", "saturation", "fine_tile")
            if table in by_locus
        }
        for k in range(len(cres.get("tile", ()))):
            tile = NumberedTile(int(cres["tile"][k]), (int(cres["start"][k]), int(cres["end"][k])))
            rows.append(_cre({column: values[k] for column, values in cres.items()}, tile, tests, tss, placed))
    columns = [column for column in (rows[0] if rows else ()) if any(row[column] for row in rows)]
    return columns, [[row[column] for column in columns] for row in rows]


def _cre(
    cre: Mapping[str, Any], tile: NumberedTile, tests: Mapping[str, Mapping[str, np.ndarray]], tss: int, placed: bool
) -> dict[str, str]:
    effect = effect_in(cre, "over_wt" if cre["cre"] == "enhancer" else "over_control")
    start, end = tile.span
    genome = tile.rows(tests.get("cres_genome", {}), "tile") if placed else {}

    def column(table: str, key: str, name: str) -> Any:
        return tile.rows(tests.get(table, {}), key).get(name, ())

    copies = effect_in(tests.get("multiplicity", {}), "fold_over_control")
    needed = effect_in(tests.get("necessity", {}), "necessity")
    dose, kept = column("multiplicity", "cre_tile", copies), column("fine_tile", "cre_tile", "bp_kept")
    levels, need = column("saturation", "cre_tile", "saturates"), column("necessity", "tile", needed)
    over = {"difference": "difference from", "log_fold": "log2 fold over"}.get(copies, "fold over")
    low, high = number(cre[f"{effect}_low"]), number(cre[f"{effect}_high"])
    return {
        "track": str(cre["track"]),
        "CRE": str(cre["cre"]),
        "from the TSS (kb)": f"{(start - tss) / 1000:+g} to {(end - tss) / 1000:+g}",
        "place": f"{genome['chrom'][0]}:{genome['start'][0]}-{genome['end'][0]}" if genome else "",
        "effect [95% interval]": f"{number(cre[effect])} [{low}, {high}]",
        "necessity": number(need[0]) if len(need) else "",
        f"1, 2, ... copies, {over} control": ", ".join(number(float(f"{value:.3g}")) for value in dose),
        "levels off": "" if not len(levels) or pd.isna(levels[0]) else str(levels[0]),
        "bp kept": number(kept.min()) if len(kept) else "",
    }
