"""Meanings of the columns of a study's tables, in one line each."""

from __future__ import annotations

from functools import cache

from ..tests import section_views

# Columns that more than one section has. The record of each section has the meanings of the others.
_SHARED = {
    "activity": "prediction of the model for the window around the TSS",
    "auc": "fraction of pairs in which the value of the first group is larger",
    "context": "category of the context of the locus in this track",
    "cre": "enhancer or silencer",
    "cre_start": "first base of the CRE, in bp of the window",
    "cre_end": "base after the last of the CRE, in bp of the window",
    "cre_tile": "number of the tile that is the CRE",
    "difference": "WT - MUT where a tile or the context is shuffled, MUT - CONTROL in backgrounds; in units of the "
    "model",
    "direction": "min: the tile that lowers the activity most is shuffled each round; max: the tile that raises it "
    "most",
    "end": "base after the last, 0-based: in bp of the window, or of the genome beside a chromosome",
    "example": "name of the locus",
    "fold_over_control": "MUT / CONTROL",
    "fold_over_wt": "MUT / WT",
    "gene": "name of the gene",
    "group_1": "the first group compared",
    "group_2": "the second group compared",
    "interaction": "class by the additive expectation",
    "log2_fold": "log2 of the mean of the first group over that of the second",
    "log_fold": "log2(WT / MUT) where a tile or the context is shuffled, log2(MUT / CONTROL) in backgrounds",
    "n": "number of shuffles, or of known values",
    "n_loci": "number of loci",
    "n_tiles": "number of tiles that are shuffled, or added, so far; or of all tiles",
    "over_control": "(MUT - CONTROL) / CONTROL: this tile and the TSS tile in backgrounds, over the TSS tile alone",
    "over_wt": "(MUT - CONTROL) / WT: the part of the wild type's activity that this tile brings back",
    "p": "of the two-sided Mann-Whitney U test",
    "p_bh": "p corrected by Benjamini and Hochberg",
    "p_bonferroni": "p corrected by Bonferroni",
    "q25": "first quartile",
    "q75": "third quartile",
    "sem": "standard error of the mean",
    "stage": "of the study; in a fine-tile search, of the scale",
    "start": "first base, 0-based: in bp of the window, or of the genome beside a chromosome",
    "tile": "number of the tile, from left to right, from 0",
    "u": "Mann-Whitney U of the first group",
    "value": "the column that the numbers describe",
    "y_control": "prediction with the TSS tile alone in backgrounds, mean over shuffles",
    "y_mut": "prediction of the edited sequence, mean over shuffles",
    "y_original": "prediction with the CRE at its original place, in backgrounds, mean over shuffles",
    "y_wt": "prediction of the original sequence",
}
_ENDINGS = {
    "_sem": "standard error of {}",
    "_low": "lower end of the 95% bootstrap interval of {}",
    "_high": "upper end of the 95% bootstrap interval of {}",
}


def column_meaning(name: str) -> str:
    """Say what a column means, or return "" if its name says it.

    Examples
    --------
    >>> column_meaning("fold_over_wt"), column_meaning("necessity_low"), column_meaning("track")
    ('MUT / WT', 'lower end of the 95% bootstrap interval of necessity', '')
    """
    for ending, text in _ENDINGS.items():
        if name.endswith(ending) and name.removesuffix(ending) in _meanings():
            return text.format(name.removesuffix(ending))
    return _meanings().get(name, "")


@cache
def _meanings() -> dict[str, str]:
    meanings = dict(_SHARED)
    for view in section_views().values():
        meanings |= view.columns
    return meanings
