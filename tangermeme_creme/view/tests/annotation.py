"""How figures and page show the annotation of CREs: signal, overlap, and lists of genes."""

from __future__ import annotations

from collections.abc import Iterator

from ..plots import plot_enrichment, plot_signal
from .panels import Drawn, median_by, panels
from .record import PageTable, SectionView
from .study_tables import StudyTables


def _draw(tables: StudyTables) -> Iterator[Drawn]:
    signal = tables["cre_signal"]
    yield from panels(
        signal.dropna(subset=["mean"]) if len(signal) else signal,
        "cre_signal",
        "Signal of tracks in CREs",
        "The mean coverage of each track in CREs of each kind.",
        plot_signal,
        lambda rows: "; ".join(
            f"{name}: {median_by(part, 'mean', 'cre')}" for name, part in rows.groupby("signal", sort=False)
        ),
        size=(6.4, 3.6),
        most=2,
    )
    tests = tables["cre_enrichment"]
    if len(tests):
        tests = tests[(tests["value"] == "max") & tests["log2_fold"].notna() & tests["p_bonferroni"].notna()]
    yield from panels(
        tests,
        "cre_enrichment",
        "Enrichment of tracks in CREs",
        "How much higher the maximum coverage of a track is in one kind of CRE than in the other, and the p value of "
        "that: two-sided Mann-Whitney tests, corrected for the number of tests.",
        plot_enrichment,
        lambda rows: f"{len(rows)} tracks, {int((rows['p_bonferroni'] < 0.05).sum())} with p below 0.05",
        by=("track", "group_1", "group_2"),
    )


VIEW = SectionView(
    title="Annotation",
    formulas=(("log2 fold", "log2(mean of the first group / mean of the second)"),),
    reading=lambda spec: (
        "What files tell about CREs at their places in the genome: signal of bigWig tracks, overlap with BED regions "
        "and repeats, and lists of genes. Neutral tiles are drawn from the tiles without a call. Groups are compared "
        "by two-sided Mann-Whitney U tests; auc is the fraction of pairs in which the value of the first group is "
        "larger."
    ),
    limits=(
        "What causes what: CREs differ from other tiles in distance to the TSS and in sequence too. Tiles of "
        "overlapping windows are not independent, so p values are too small where many genes are close together."
    ),
    draw=_draw,
    tables=(
        PageTable("cre_enrichment", "Signal of groups of CREs: Mann-Whitney U tests"),
        PageTable("cre_overlap_by_group", "Overlap by group"),
        PageTable("gene_overlap_by_group", "Genes in lists by category of context"),
        PageTable("cre_signal", "Signal by CRE", rank="max", closed=True),
        PageTable("cre_overlap", "Overlap by CRE", rank="fraction", closed=True),
        PageTable("gene_overlap", "Genes in lists", closed=True),
    ),
    columns={
        "annotation": "name of the file, or class of the repeats",
        "fraction": "fraction of the bases of the place that the annotation covers",
        "n_elements": "number of annotations that overlap",
        "signal": "name of the bigWig file",
    },
)
