"""How figures and page show the tiles that were called CREs."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from ...study.spec import StudySpec, call_rule
from ..plots import plot_cre_distances
from .panels import Drawn, count_by, median_by, panels
from .record import PageTable, SectionView, SummaryTable, effects, formulas_on
from .study_tables import StudyTables


def _draw(tables: StudyTables) -> Iterator[Drawn]:
    table, size = tables["cres"], 0
    if len(table):
        table = table.assign(distance=(table["start"] + table["end"] - 1) / 2 - tables.center)
        size = tables.study.spec.tiles.size
    yield from panels(
        table,
        "cre_distances",
        "Distance of CREs to the TSS",
        "How far the tiles that are called CREs lie from the TSS; upstream is left.",
        partial(plot_cre_distances, bin_size=size),
        lambda rows: (
            f"{count_by(rows, 'cre')}; median distance "
            f"{median_by(rows.assign(kb=rows['distance'].abs() / 1000), 'kb', 'cre')} kb"
        ),
    )


def call_text(spec: StudySpec) -> str:
    """Say in a sentence which tiles are called CREs."""
    rule = call_rule(spec.cres)
    up, down = (" and ".join(names) for names in (rule.enhancer_contexts, rule.silencer_contexts))
    over_wt, over_control = (" over WT", " over control") if spec.effects.scale == "ratio" else ("", "")
    return (
        f"A tile is called an enhancer above {rule.enhancer:g}{over_wt} in {up} contexts, and a silencer below "
        f"{rule.silencer:g}{over_control} in {down} ones."
    )


def _reading(spec: StudySpec) -> str:
    most = spec.cres.max_per_locus
    limit = f" At most the {most} strongest per locus and track are used." if most else ""
    return (
        f"The tiles that were called by their sufficiency. {call_text(spec)}{limit} Distances are from the base of the "
        "TSS to the middle of the tile, positive downstream."
    )


VIEW = SectionView(
    title="CREs",
    formulas=lambda scale: formulas_on(
        scale,
        (("effect of enhancers", "(MUT - CONTROL) / WT"), ("effect of silencers", "(MUT - CONTROL) / CONTROL")),
        "MUT", "CONTROL",
    ),
    reading=_reading,
    limits=(
        "That other tiles do nothing: a call is a threshold. Effects are from the same shuffles by which the tiles "
        "were called, and are on average too large."
    ),
    draw=_draw,
    summaries=(
        SummaryTable("cres", "CREs and their distance"),
        SummaryTable("tests", "Distances of enhancers and silencers: test", ("distance",)),
    ),
    tables=(
        PageTable(
            "cres_genome", "CREs in the genome",
            ("example", "gene_name", "track", "context", "cre", "effect", "chrom", "start", "end", "strand", "distance",
             "tile", *effects("over_wt", "over_control")),
            rank="effect",
        ),
        PageTable(
            "cres", "CREs in bp of the window",
            ("example", "track", "context", "cre", "effect", "tile", "start", "end",
             *effects("over_wt", "over_control")),
            rank="effect", replaced_by="cres_genome",
        ),
    ),
    columns={
        "distance": "from the base of the TSS to the middle of the CRE in bp, positive downstream",
        "effect": "over_wt for enhancers, over_control for silencers, unless the study has another scale",
        "gap": "bp between CRE and TSS",
    },
    files={"cres": "CREs", "cre_gene": "links from CREs to genes"},
)  # fmt: skip
