"""The parts of a report, one a test, with the tables that each has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from ...study.spec import StudySpec
from ...study.tables import summary_tables
from ..figures import StudyFigure
from .images import Image, image_of
from .prose import PROSE, Prose
from .tables import Shown, Wanted, content_of, shown_table
from .text import without_folders


@dataclass(frozen=True)
class Section:
    """A part of a report."""

    key: str
    prose: Prose
    images: list[Image]
    tables: list[Shown]


def _interval(name: str) -> tuple[str, ...]:
    return name, f"{name}_low", f"{name}_high"


_TILE = ("example", "track", "context", "tile", "start", "end", "n")
_CRE = ("example", "track", "cre", "cre_tile", "cre_start", "cre_end")
_SET = ("example", "track", "context", "direction")

# By section: summaries with their titles, of which "tests" are those of some values; and tables.
_SUMMARIES: dict[str, tuple[tuple[str, str], ...]] = {
    "contexts": (("contexts", "Categories of contexts"),),
    "swap": (("swap", "Fold over the source by categories: quartiles"),),
    "necessity": (("necessity", "Necessity of tiles: quartiles"),),
    "sufficiency": (
        ("sufficiency", "Sufficiency of tiles: quartiles"),
        ("calls", "Tiles that were called"),
        ("tests", "Sufficiency between contexts: Mann-Whitney U tests"),
    ),
    "cres": (("cres", "CREs and their distance"), ("tests", "Distances of enhancers and silencers: test")),
    "distance": (("distance", "Means by offset"),),
    "multiplicity": (("multiplicity", "Means by number of copies"), ("saturation", "Do copies level off?")),
    "higher_order": (
        ("higher_order", "Means by number of tiles"),
        ("interaction_classes", "How the tiles of searches act: counts"),
    ),
    "set_sufficiency": (("set_sufficiency", "Means by number of tiles"),),
    "interactions": (("interactions", "Classes of pairs: counts"),),
    "fine_mapping": (
        ("fine_tile", "Bases kept of a CRE: quartiles"),
        ("fine_mapping", "Fewest bp by method: quartiles"),
    ),
    "failures": (("failures", "Errors: counts"),),
}
_TESTS = {"sufficiency": ("over_wt", "over_control"), "cres": ("distance",)}
_TABLES: dict[str, tuple[Wanted, ...]] = {
    "contexts": (
        Wanted(
            "contexts", "Contexts by locus and track",
            ("example", "track", "context", *_interval("context_effect"), "n", "y_wt", "y_mut", "ranked", "selected"),
            "context_effect",
        ),
    ),
    "swap": (Wanted(
            "swap", "TSS tiles in other contexts",
            ("example", "source", "track", "source_context", "target_context", "fold_over_source", "y_source",
             "y_target", "y_mut"),
            "fold_over_source", 1.0, True,
        ),),
    "necessity": (
        Wanted(
            "necessity", "Necessity by tile", (*_TILE, *_interval("necessity"), "y_wt", "y_mut"), "necessity", 0.0, True
        ),
    ),
    "sufficiency": (
        Wanted(
            "sufficiency", "Sufficiency by tile",
            (*_TILE, *_interval("over_wt"), *_interval("over_control"), "y_wt", "y_control", "y_mut", "cre"),
            "over_control", 0.0, True,
        ),
    ),
    "cres": (
        Wanted(
            "cres_genome", "CREs in the genome",
            ("example", "gene_name", "track", "context", "cre", "effect", "chrom", "start", "end", "strand", "distance",
             "tile", *_interval("over_wt"), *_interval("over_control")),
            "effect",
        ),
        Wanted(
            "cres", "CREs in bp of the window",
            ("example", "track", "context", "cre", "effect", "tile", "start", "end", *_interval("over_wt"),
             *_interval("over_control")),
            "effect",
        ),
    ),
    "distance": (
        Wanted(
            "distance", "CREs at other places",
            (*_CRE, "offset", "n", *_interval("fold_over_control"), "fraction_of_max"), "fold_over_control", 1.0, True,
        ),
    ),
    "multiplicity": (
        Wanted(
            "saturation", "Fits of copies by CRE",
            (*_CRE, "n_copies", "saturates", "half_copies", "plateau_fold", "reached", "hill", "r2"),
            "plateau_fold", 1.0,
        ),
        Wanted(
            "multiplicity", "Copies by CRE", (*_CRE, "copies", "start", "fold_over_control"), "fold_over_control",
            1.0, True,
        ),
    ),
    "higher_order": (
        Wanted("interaction_classes", "Traces by locus", (), "mse_additive"),
        Wanted(
            "higher_order", "Traces round by round",
            (*_SET, "n_tiles", "tile", "start", "end", "observed", "additive", "multiplicative", "holdout"),
            "observed", 1.0, True,
        ),
    ),
    "set_sufficiency": (
        Wanted(
            "set_sufficiency", "Tiles added round by round",
            (*_SET, "n_tiles", "tile", "n", *_interval("fold_over_wt"), *_interval("fold_over_control")),
            "fold_over_control", 1.0, True,
        ),
    ),
    "interactions": (
        Wanted(
            "interactions", "Pairs by locus",
            ("example", "track", "context", "tile_1", "tile_2", "n", *_interval("epistasis"), "interaction",
             *_interval("log_epistasis"), "log_interaction"),
            "epistasis", 0.0, True,
        ),
    ),
    "fine_mapping": (
        Wanted("fine_mapping", "Fewest bp by CRE and method", (*_CRE, "method", "draws", "fewest_bp", "area", "own_bp",
                                                              "own_score")),
        Wanted("kept_genome", "Bases kept, in the genome", closed=True),
        Wanted("kept", "Bases kept, in bp of the window", closed=True),
        Wanted("fine_tile", "Searches step by step", (*_CRE, "step", "stage", "bp_kept", "score"), closed=True),
        Wanted("retention", "Scores by bp kept", (*_CRE, "method", "draw", "bp_kept", "score"), closed=True),
    ),
    "annotation": (
        Wanted("cre_enrichment", "Signal of groups of CREs: Mann-Whitney U tests"),
        Wanted("cre_overlap_by_group", "Overlap by group"),
        Wanted("gene_overlap_by_group", "Genes in lists by category of context"),
        Wanted("cre_signal", "Signal by CRE", (), "max", closed=True),
        Wanted("cre_overlap", "Overlap by CRE", (), "fraction", closed=True),
        Wanted("gene_overlap", "Genes in lists", closed=True),
    ),
    "failures": (Wanted("failures", "What failed"), Wanted("annotation_failures", "Annotation that was left out")),
}  # fmt: skip
# The same rows in bp of the window, which are shown only where there are none in bp of the genome.
_INSTEAD = {"cres": "cres_genome", "kept": "kept_genome"}


def sections_of(
    spec: StudySpec,
    tables: Mapping[str, pd.DataFrame],
    figures: Sequence[StudyFigure],
    loci: Mapping[str, int],
    genes: Mapping[str, str],
) -> list[Section]:
    """The parts that have a row or a figure, in the order of the tests.

    Raises
    ------
    ValueError
        If a figure is of no section.
    """
    for figure in figures:
        if figure.section not in PROSE:
            raise ValueError(f"the section of a figure must be of {', '.join(PROSE)}; got {figure.section!r}.")
    summaries = summary_tables(tables)
    found = []
    for key, prose in PROSE.items():
        images = [image_of(figure) for figure in figures if figure.section == key]
        shown = [*_summaries(key, summaries), *_shown(key, tables, loci, genes)]
        if images or shown:
            found.append(Section(key, prose(spec), images, shown))
    return found


def _summaries(key: str, summaries: Mapping[str, pd.DataFrame]) -> list[Shown]:
    shown = []
    for name, title in _SUMMARIES.get(key, ()):
        table = summaries.get(name, pd.DataFrame())
        if name == "tests" and len(table):
            table = table[table["value"].isin(_TESTS[key])]
        if name == "failures" and len(table):
            table = table.assign(first_message=table["first_message"].map(without_folders))
        if len(table):
            # What a column means here differs from what it means in the table: it says it itself.
            shown.append(Shown(f"summary-{key}-{name}", title, "", [], content_of(table, title)))
    return shown


def _shown(
    key: str, tables: Mapping[str, pd.DataFrame], loci: Mapping[str, int], genes: Mapping[str, str]
) -> list[Shown]:
    shown = []
    for wanted in _TABLES[key]:
        table = tables.get(wanted.name, pd.DataFrame())
        if not len(table) or len(tables.get(_INSTEAD.get(wanted.name, ""), ())):
            continue
        if "message" in table:
            table = table.assign(message=table["message"].map(without_folders))
        shown.append(shown_table(wanted, table, loci, genes))
    return shown
