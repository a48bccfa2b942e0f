"""The summaries of a report: those of each test, and those of contexts, comparisons and failures."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from ...analysis import CATEGORIES, SCALES, effect_in
from ...analysis.stats import compare_groups
from ...support import sorted_by
from ..tests import KINDS, TESTS, UNDEFINED, ResultTables, Summary, columns_of, in_order


def _contexts(study: ResultTables) -> pd.DataFrame:
    table = study["contexts"]
    table = table[table["ranked"].astype(bool)]
    table = table.assign(context=table["context"].astype(object).where(table["context"].notna(), UNDEFINED))
    contexts = table.groupby(["track", "context"], sort=False).agg(
        n=("example", "size"),
        n_selected=("selected", "sum"),
        median_effect=(effect_in(table, "context_effect"), "median"),
    )
    return in_order(contexts.reset_index(), ["track", "context"], study)


def _comparisons(study: ResultTables) -> pd.DataFrame:
    """Mann-Whitney tests, corrected within each of the two comparisons; groups that cannot be tested are left out."""
    parts = []
    if "sufficiency" in study:
        table = study["sufficiency"]
        effects = dict.fromkeys(effect_in(table, name) for name in ("over_wt", "over_control"))
        parts.append(_compared(table, list(effects), "context", CATEGORIES[:3]))
    if "cres" in study:
        table = study.distances()
        parts.append(_compared(table.assign(distance=table["distance"].abs()), ["distance"], "cre", KINDS))
    parts = [part for part in parts if len(part)]
    if not parts:
        return pd.DataFrame()
    comparisons = pd.concat(parts, ignore_index=True)
    values = ["over_wt", "over_control", *SCALES[1:], "distance"]
    return sorted_by(comparisons, value=values, track=study.tracks(comparisons))


def _compared(table: pd.DataFrame, values: list[str], group: str, kinds: Sequence[str]) -> pd.DataFrame:
    present = [kind for kind in kinds if (table[group] == kind).any()]
    pairs = [(one, other) for i, one in enumerate(present) for other in present[i + 1 :]]
    if not pairs:
        return pd.DataFrame()
    comparisons = compare_groups(table, values, group, pairs=pairs, by="track")
    return comparisons[comparisons["p"].notna()]


def _failures(study: ResultTables) -> pd.DataFrame:
    table = study["failures"]
    table = table.assign(example=table["example"].where(table["example"] != ""))  # "" is a failure of the annotation
    return (
        table.groupby(["stage", "error"], sort=False)
        .agg(n=("message", "size"), n_loci=("example", "nunique"), first_message=("message", "first"))
        .reset_index()
    )


SUMMARIES: tuple[Summary, ...] = (
    Summary(
        "contexts",
        "Contexts",
        _contexts,
        "contexts",
        columns_of("track", "context", "n", "n_selected", "median_effect"),
    ),
    *(summary for test in TESTS.values() for summary in test.summaries),
    Summary(
        "tests",
        "Mann-Whitney tests",
        _comparisons,
        None,
        columns_of("track", "value", "group_1", "group_2", "n_1", "n_2", "median_1", "median_2", "p_bonferroni"),
    ),
    Summary(
        "failures", "Failures", _failures, "failures", columns_of("stage", "error", "n", "n_loci", "first_message")
    ),
)
