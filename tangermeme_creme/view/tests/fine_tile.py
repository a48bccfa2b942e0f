"""How figures and page show fine mapping: the bases of CREs that carry their effect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ...study.tables import Windows
from ...support import collected
from ..plots import plot_cre_logo, plot_kept_bp, plot_retention_curves
from .panels import Drawn, median_by, panels
from .record import CRE_COLUMNS, PageTable, SectionView, SummaryTable
from .study_tables import StudyTables

_LOGOS, _BASES = 4, 120  # number of CREs in the figure of logos, and bases of each


def _draw(tables: StudyTables) -> Iterator[Drawn]:
    curves = tables["retention"]
    if len(curves):
        curves = curves.dropna(subset=["score"])
        # One curve per CRE: a locus may have several CREs.
        curves = curves.assign(example=curves["example"].astype(str) + " " + curves["cre_tile"].astype(str))
    yield from panels(
        curves,
        "retention",
        "Fine mapping, by method",
        "The part of a CRE's effect that is left while each method prunes the bases that it ranks as least important: "
        "mean and standard error over CREs.",
        plot_retention_curves,
        lambda rows: f"{rows['example'].nunique()} CREs, methods {', '.join(map(str, rows['method'].unique()))}",
    )
    steps = tables["fine_tile"]
    if len(steps):
        steps = steps.sort_values("step", kind="stable").drop_duplicates(["example", "cre_tile", "track"], keep="last")
        steps = steps.sort_index()
    yield from panels(
        steps,
        "kept_bp",
        "Bases kept",
        "How many bases of each CRE the fine-tile search keeps at the end.",
        plot_kept_bp,
        lambda rows: f"{len(rows)} CREs; {median_by(rows, 'bp_kept', 'cre')} bp",
    )
    yield from _logos(tables)


def _logos(tables: StudyTables) -> Iterator[Drawn]:
    """Draw the stretches with most kept bases of the strongest CREs."""
    kept, called = tables["kept"], tables["cres"]
    if not len(kept) or not len(called):
        return
    called = called.assign(size=called["effect"].abs()).sort_values("size", ascending=False, kind="stable")
    strongest = called.merge(
        kept[["example", "cre_tile", "track"]].drop_duplicates(), left_on=["example", "tile", "track"],
        right_on=["example", "cre_tile", "track"],
    ).drop_duplicates(["example", "tile"])[:_LOGOS]  # fmt: skip
    X = _sequences(tables, list(strongest["example"].unique()))
    if not X:
        return
    figure = Figure(figsize=(11, 1.7 * len(strongest)), layout="constrained")
    labels = []
    for ax, cre in zip(figure.subplots(len(strongest), squeeze=False)[:, 0], strongest.itertuples()):
        rows = (kept["example"] == cre.example) & (kept["cre_tile"] == cre.tile) & (kept["track"] == cre.track)
        spans = kept[rows].sort_values("start")
        low, high = _densest(spans[["start", "end"]].to_numpy(dtype=int), int(cre.start), int(cre.end))
        plot_cre_logo(X[cre.example][:, low:high], ax, start=low, kept=spans, center=tables.center)
        total = int((spans["end"] - spans["start"]).sum())
        labels.append(f"{tables.gene(cre.example)}, {cre.cre} at tile {cre.tile}, {cre.track}: {total} bp kept")
        ax.set_title(labels[-1], fontsize=10, loc="left", fontweight="bold")
    yield Drawn(
        "kept_logos",
        "Sequence of the bases kept",
        f"For each of the strongest CREs, the {_BASES} bases with most of the bases that the fine-tile search keeps. "
        "Kept bases are tall and underlined.",
        "; ".join(labels) + ".",
        figure,
    )


def _sequences(tables: StudyTables, examples: Sequence[str]) -> dict[str, Any]:
    """Read the one-hot windows of loci. Return {} if files of the study are no longer at their place."""
    loci = tables["loci"].set_index("example", drop=False)
    try:
        windows = Windows(tables.study.spec, center=tables.center)
    except (OSError, ValueError):
        return {}
    try:
        with collected():  # the run has already warned of padded windows
            return {name: windows.read(loci.loc[[name]]).to_one_hot()[0] for name in examples}
    except (OSError, ValueError, KeyError):
        return {}
    finally:
        windows.close()


def _densest(spans: np.ndarray, start: int, end: int) -> tuple[int, int]:
    """Find the stretch of a CRE with most kept bases. Of several such stretches it is the middle one."""
    inside = np.zeros(end - start, dtype=int)
    for low, high in spans:
        inside[low - start : high - start] = 1
    width = min(_BASES, end - start)
    total = np.convolve(inside, np.ones(width, dtype=int), mode="valid")
    best = np.flatnonzero(total == total.max())
    first = int(best[len(best) // 2])
    return start + first, start + first + width


VIEW = SectionView(
    title="Fine mapping",
    formulas=(("activity score", "MUT / WHOLE"), ("effect score", "(MUT - CONTROL) / (WHOLE - CONTROL)")),
    reading=lambda spec: (
        "The bases of a CRE are removed piece by piece, first those whose loss hurts least, as long as the score stays "
        "on the right side of its threshold; WHOLE is the whole CRE with the TSS tile. The fewer bp are kept, the more "
        "the effect is in one place. Where methods were compared, each method ranks the bases in its way, and fewest "
        "bp is the number of bp that it needs for a score of 0.8."
    ),
    limits=(
        "That the other bases do nothing: the search is greedy, and of two stretches that do the same it keeps one. "
        "Kept bases are those that the model uses in these backgrounds, not a map of binding sites."
    ),
    draw=_draw,
    summaries=(
        SummaryTable("fine_tile", "Bases kept per CRE: quartiles"),
        SummaryTable("fine_mapping", "Fewest bp by method: quartiles"),
    ),
    tables=(
        PageTable(
            "fine_mapping", "Fewest bp by CRE and method",
            (*CRE_COLUMNS, "method", "draws", "fewest_bp", "area", "own_bp", "own_score"),
        ),
        PageTable("kept_genome", "Bases kept, in the genome", closed=True),
        PageTable("kept", "Bases kept, in bp of the window", closed=True, replaced_by="kept_genome"),
        PageTable(
            "fine_tile", "Searches step by step", (*CRE_COLUMNS, "step", "stage", "bp_kept", "score"), closed=True
        ),
        PageTable(
            "retention", "Scores by bp kept", (*CRE_COLUMNS, "method", "draw", "bp_kept", "score"), closed=True
        ),
    ),
    columns={
        "area": "mean height of the curve of scores over the bp kept",
        "bp_kept": "number of bases of the CRE that are left",
        "draws": "number of random rankings that were averaged",
        "fewest_bp": "fewest bp that keep a score of 0.8",
        "own_bp": "bp that the method selects by itself",
        "own_score": "score of the bases that the method selects by itself",
        "removed": "bases removed in this step",
        "round": "of the search, from 0",
        "score": "activity or effect of the bases that are left, over that of the whole CRE",
        "step": "of the search, from 0",
    },
    files={"kept": "bases kept by fine-tile searches"},
)  # fmt: skip
