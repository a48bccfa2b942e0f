"""Write the tables of a study for other tools: CSV, and tracks for IGV and the UCSC Genome Browser."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import pandas as pd

from ...analysis.export import (
    cre_gene_links,
    tile_pair_links,
    write_bedgraph,
    write_bedpe,
    write_bigwig,
    write_cres,
    write_interact,
    write_kept,
)
from ..spec import StudyError, track_names, window_center, window_length
from ..store import file_name
from .places import ReadableStudy, genome_sizes, in_genome, placed_loci
from .summaries import write_csv

FORMATS = ("csv", "bed", "bedgraph", "bigwig", "interact")
# Effects along the genome: table and column.
_EFFECTS = (("sufficiency", "over_control"), ("sufficiency", "over_wt"), ("necessity", "necessity"))
_SAFE = re.compile(r"[A-Za-z0-9_+-]{1,48}")


def export_study(
    study: ReadableStudy,
    out: str | os.PathLike[str] | None = None,
    formats: Sequence[str] = ("csv", "bed", "bedgraph", "interact"),
) -> list[Path]:
    """Write the tables of a study for other tools.

    - "csv": every table in bp of windows: `necessity.csv`;
    - "bed": CREs, and the bases that fine-tile searches keep: `cres.K562.bed`, `kept.K562.bed`;
    - "bedgraph", "bigwig": effects along the genome, `over_control.K562.bedgraph`, `over_wt.K562.bedgraph`,
      `necessity.K562.bedgraph` and the same names ending in `.bw`; where windows of several loci overlap, their
      mean; in a study on another scale `sufficiency_difference.K562.bedgraph` and so on;
    - "interact": links from CREs to genes and between tiles that interact, `cre_gene.K562.interact` and `.bedpe`,
      `tile_pairs.K562.interact` and `.bedpe`.

    All formats but "csv" have one file per track, in bp of the genome, of the loci that have a place in it. Rows in the
    padding of windows are left out. If the name of a track cannot be part of a file name, the file name has a hash.

    Parameters
    ----------
    study: Study

    out: path or None, optional
        Made if needed. None is the folder `export` in the folder of the study. Default is None.

    formats: sequence of str, optional
        Any of the above. Default is all but "bigwig".

    Returns
    -------
    paths: list of Path
        The written files. A track without rows has no file.

    Raises
    ------
    StudyError
        If a format is unknown, "bigwig" is requested without a genome, or places are not whole and more than "csv" is
        requested; then nothing is written.
    """
    formats = [formats] if isinstance(formats, str) else list(formats)
    for name in formats:
        if name not in FORMATS:
            raise StudyError(f"formats must be of {', '.join(FORMATS)}; got {name!r}.")
    export = _Export(study, study.folder / "export" if out is None else Path(out))
    placed = bool(set(formats) - {"csv"}) and len(export.places) > 0  # CSV needs no places
    if "bigwig" in formats and placed and export.sizes is None:
        asked = export.spec.loci
        got = "none" if asked is None else f"{asked.fasta}, which is not there"
        raise StudyError(f"bigwig must have the lengths of chromosomes, from loci.fasta; got {got}.")
    export.folder.mkdir(parents=True, exist_ok=True)
    written: list[Path] = []
    for name in FORMATS:
        if name in formats:
            written += getattr(export, name)()
    return written


class _Export:
    """The tables of a study in bp of the genome, by track, and the files that they are written to."""

    def __init__(self, study: ReadableStudy, folder: Path) -> None:
        self.study, self.spec, self.folder = study, study.spec, folder

    @cached_property
    def places(self) -> pd.DataFrame:
        return _named(placed_loci(self.study.table("loci")))

    @cached_property
    def sizes(self) -> dict[str, int] | None:
        return genome_sizes(self.spec) if len(self.places) else None

    def csv(self) -> Iterator[Path]:
        for name in self.study.tables:
            yield write_csv(self.study.table(name), self.folder / f"{name}.csv")

    def bed(self) -> Iterator[Path]:
        for track, table in self.by_track("cres"):
            path, name = self.path("cres", track, "bed"), f"CREs, {track}"
            yield write_cres(table, path, effect="effect", name=name)
        for track, table in self.by_track("kept"):
            yield write_kept(table, self.path("kept", track, "bed"), name=f"Kept bases, {track}")

    def bedgraph(self) -> Iterator[Path]:
        for name, value, track, table in self.effects():
            path = self.path(name, track, "bedgraph")
            yield write_bedgraph(table, path, value=value, combine="mean", name=f"{name}, {track}")

    def bigwig(self) -> Iterator[Path]:
        for name, value, track, table in self.effects():
            assert self.sizes is not None
            yield write_bigwig(table, self.path(name, track, "bw"), self.sizes, value=value, combine="mean")

    def interact(self) -> Iterator[Path]:
        for track, table in self.by_track("cres"):
            yield from self.links("cre_gene", track, cre_gene_links(table, effect="effect"), directional=True)
        for track, table in self.by_track("interactions"):
            table = table[table["interaction"].isin(["positive", "negative"])]
            if len(table):
                effect = "epistasis" if "epistasis" in table else "epistasis_difference"
                yield from self.links("tile_pairs", track, tile_pair_links(table, effect=effect), directional=False)

    def links(self, kind: str, track: str, links: pd.DataFrame, *, directional: bool) -> Iterator[Path]:
        name = f"{'CREs and genes' if directional else 'Pairs of tiles'}, {track}"
        yield write_interact(links, self.path(kind, track, "interact"), name=name, directional=directional)
        yield write_bedpe(links, self.path(kind, track, "bedpe"))

    def effects(self) -> Iterator[tuple[str, str, str, pd.DataFrame]]:
        """Yield name of the file, column, track and the rows in which the column has a value."""
        scale = self.spec.effects.scale
        ratios = scale == "ratio"
        effects = _EFFECTS if ratios else tuple(dict.fromkeys((table, scale) for table, _ in _EFFECTS))
        for name, value in effects:
            for track, table in self.by_track(name):
                table = table[table[value].notna()]
                if len(table):
                    yield value if ratios else f"{name}_{value}", value, track, table

    def by_track(self, name: str) -> Iterator[tuple[str, pd.DataFrame]]:
        length, center = window_length(self.spec), window_center(self.spec)
        table = in_genome(self.study.table(name), self.places, length, self.sizes, center=center)
        for track in track_names(self.spec) if len(table) else ():
            rows = table[table["track"] == track]
            if len(rows):
                yield track, rows

    def path(self, kind: str, track: str, ending: str) -> Path:
        label = track if _SAFE.fullmatch(track) else file_name([track])
        return self.folder / f"{kind}.{label}.{ending}"


def _named(places: pd.DataFrame) -> pd.DataFrame:
    """Fill `gene_name` with the name of the gene, its identifier, or the name of the locus."""
    if not len(places):
        return places
    name = pd.Series(places.index.astype(str), index=places.index, dtype=object)
    for column in ("gene_id", "gene_name"):
        if column in places.columns:
            values = places[column].astype(object)
            name = values.where(values.notna() & (values != ""), name)
    return places.assign(gene_name=name)
