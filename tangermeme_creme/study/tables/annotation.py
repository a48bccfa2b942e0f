"""Annotate the places of CREs from files: the stage after the tests, which runs no model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import combinations
from typing import Any

import pandas as pd

from ...analysis import CATEGORIES, effect_in
from ...analysis.annotate import (
    bed_overlap,
    bigwig_signal,
    distance_to_tss,
    gene_list_overlap,
    overlap_by_group,
    repeat_content,
    sample_neutral_tiles,
    signal_enrichment,
)
from ...support import sorted_by, warn
from ..spec import StudySpec, track_names, window_center, window_length
from .places import genome_sizes, in_genome, placed_loci

ANNOTATION_TABLES = (
    "cres_genome",
    "cre_signal",
    "cre_enrichment",
    "cre_overlap",
    "cre_overlap_by_group",
    "gene_overlap",
    "gene_overlap_by_group",
    "kept_genome",
    "annotation_failures",
)
KINDS = ("enhancer", "silencer", "neutral")
# The columns that name a CRE in tables with several rows per CRE.
_NAMES = ["example", "gene_name", "track", "context", "tile", "chrom", "start", "end", "strand", "cre", "effect"]


def annotate(spec: StudySpec, tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Place CREs and kept bases in the genome, and annotate these places from files. Costs no forward pass.

    A file that cannot be read, or belongs to another genome, is left out with a warning and a row in
    `annotation_failures`, so that the results of the tests are not lost.

    Parameters
    ----------
    spec: StudySpec

    tables: mapping of str to pandas.DataFrame
        `loci`, `contexts`, `cres`, `sufficiency` and `kept`, as far as they exist; in bp of windows.

    Returns
    -------
    made: dict of str to pandas.DataFrame
        The tables of `ANNOTATION_TABLES` that have rows, sorted by example, track and tile. Coordinates are 0-based and
        half-open. Without places in `loci` there is at most the overlap with gene lists.
    """
    work = _Annotation(spec, tables)
    made = work.of_places() | work.of_genes()
    if work.failures:
        made["annotation_failures"] = pd.DataFrame(work.failures, columns=["stage", "what", "error", "message"])
    return {name: made[name] for name in ANNOTATION_TABLES if name in made and len(made[name])}


class _Annotation:
    """The tables and places of a study, and the parts that failed."""

    def __init__(self, spec: StudySpec, tables: Mapping[str, pd.DataFrame]) -> None:
        self.spec, self.tables, self.tracks = spec, tables, track_names(spec)
        self.failures: list[tuple[str, str, str, str]] = []
        self.places = self.attempt("places", placed_loci, self.table("loci"))
        self.sizes = genome_sizes(spec) if len(self.places) else None

    def table(self, name: str) -> pd.DataFrame:
        return self.tables.get(name, pd.DataFrame())

    def in_genome(self, name: str) -> pd.DataFrame:
        length, center = window_length(self.spec), window_center(self.spec)
        return self.attempt(name, in_genome, self.table(name), self.places, length, self.sizes, center=center)

    def attempt(self, what: str, part: Callable[..., pd.DataFrame], *arguments: Any, **options: Any) -> pd.DataFrame:
        """Run a part; if it fails, note the error and return an empty table."""
        try:
            return part(*arguments, **options)
        except Exception as error:
            self.failures.append(("annotation", what, type(error).__name__, str(error)))
            warn(f"annotation.{what} is left out: {error}")
            return pd.DataFrame()

    def of_places(self) -> dict[str, pd.DataFrame]:
        asked = self.spec.annotation
        if not len(self.places):
            for what in ("bigwig", "bed", "repeats"):
                if getattr(asked, what):
                    self.attempt(what, _refuse_without_places)
            return {}
        cres = self.in_genome("cres")
        if len(cres):
            cres = sorted_by(distance_to_tss(cres), example=None, track=self.tracks, tile=None)
        made = {"cres_genome": cres}
        groups = self._with_neutral(cres) if len(cres) else cres
        if len(groups):
            groups = groups[[name for name in _NAMES if name in groups.columns]]
            made |= self._signal(groups) | self._overlap(groups)
        kept = self.in_genome("kept")
        if len(kept):
            made["kept_genome"] = sorted_by(kept, example=None, track=self.tracks, cre_tile=None, tile_start=None)
        return made

    def _with_neutral(self, cres: pd.DataFrame) -> pd.DataFrame:
        tiles, parts = pd.DataFrame(), [cres]
        if self.spec.annotation.neutral:
            tiles = self.in_genome("sufficiency")
        if len(tiles):
            effect = effect_in(tiles, "over_control")
            options: dict[str, Any] = {}
            if effect != "over_control":
                options = {"effect": effect, "max_effect": self.spec.context.neutral}
            for track in self.tracks:
                n = self.spec.annotation.neutral * int((cres["track"] == track).sum())
                uncalled = tiles[(tiles["track"] == track) & tiles["cre"].isna()]
                neutral = sample_neutral_tiles(uncalled, n=n, random_state=self.spec.seed, **options)
                if len(neutral):
                    parts.append(neutral.assign(effect=neutral[effect]))
        return sorted_by(pd.concat(parts, ignore_index=True), example=None, track=self.tracks, tile=None)

    def _signal(self, groups: pd.DataFrame) -> dict[str, pd.DataFrame]:
        asked = self.spec.annotation
        parts = [
            self.attempt(f"bigwig.{name}", bigwig_signal, groups, {name: path}, gaps=asked.gaps, sizes=self.sizes)
            for name, path in asked.bigwig.items()
        ]
        signal = _beside(parts)
        if not len(signal):
            return {}
        kinds = [kind for kind in KINDS if (signal["cre"] == kind).any()]
        tests = [
            signal_enrichment(signal, value, pairs=list(combinations(kinds, 2)), by=["track", "signal"])
            for value in ("mean", "max")
            if len(kinds) > 1
        ]
        made = {"cre_signal": signal}
        if tests:
            both = pd.concat(tests, ignore_index=True)
            made["cre_enrichment"] = sorted_by(both, track=self.tracks, signal=list(asked.bigwig))
        return made

    def _overlap(self, groups: pd.DataFrame) -> dict[str, pd.DataFrame]:
        asked, parts = self.spec.annotation, []
        for name, path in asked.bed.items():
            parts.append(_kind(self.attempt(f"bed.{name}", bed_overlap, groups, {name: path}), "bed"))
        if asked.repeats is not None:
            parts.append(_kind(self.attempt("repeats", repeat_content, groups, asked.repeats), "repeats"))
        overlap = _beside(parts)
        if not len(overlap):
            return {}
        grouped = overlap_by_group(overlap, by=["track", "kind", "annotation"])
        names = list(dict.fromkeys(overlap["annotation"]))
        grouped = sorted_by(grouped, track=self.tracks, kind=["bed", "repeats"], annotation=names, cre=KINDS)
        return {"cre_overlap": overlap, "cre_overlap_by_group": grouped}

    def of_genes(self) -> dict[str, pd.DataFrame]:
        lists, loci, contexts = self.spec.annotation.gene_lists, self.table("loci"), self.table("contexts")
        if not lists or "gene_name" not in loci or not len(contexts):
            return {}
        loci = loci.loc[loci["gene_name"].notna() & (loci["gene_name"] != ""), ["example", "gene_name"]]
        # All loci are listed, since a gene list may have none of the few loci that were selected.
        parts = [self.attempt(f"gene_lists.{name}", gene_list_overlap, loci, {name: lists[name]}) for name in lists]
        listed = _beside(parts)
        if not len(listed):
            return {}
        selected = contexts.loc[contexts["selected"].astype(bool), ["example", "track", "context"]]
        overlap = selected.merge(listed, on="example")
        if not len(overlap):
            return {}
        names = ["example", "gene_name", "track", "context", "annotation", "fraction", "n_elements"]
        overlap = sorted_by(overlap[names], example=None, track=self.tracks, annotation=list(lists))
        grouped = overlap_by_group(overlap, "context", by=["track", "annotation"]).drop(columns="percent_bp")
        grouped = sorted_by(grouped, track=self.tracks, annotation=list(lists), context=CATEGORIES)
        return {"gene_overlap": overlap, "gene_overlap_by_group": grouped}


def _refuse_without_places() -> pd.DataFrame:
    raise ValueError("loci must have chrom, tss and strand for this; got none with a place.")


def _kind(table: pd.DataFrame, kind: str) -> pd.DataFrame:
    """Insert a column that tells a BED file from a class of repeats with the same name."""
    if len(table):
        table.insert(list(table.columns).index("annotation"), "kind", kind)
    return table


def _beside(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Join tables that have several rows per CRE, in the same order of CREs, CRE by CRE."""
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame()
    names = [name for name in ("example", "track", "tile") if name in parts[0].columns]
    number = [part.groupby(names, sort=False, dropna=False).ngroup() for part in parts]
    joined = pd.concat(parts, ignore_index=True)
    order = pd.concat(number, ignore_index=True).sort_values(kind="stable").index
    return joined.loc[order].reset_index(drop=True)
