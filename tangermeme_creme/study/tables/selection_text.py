"""Say why few loci of a study can be tested."""

from __future__ import annotations

import pandas as pd

from ...analysis import CATEGORIES

_FEW = 0.1  # of the loci of a track


def few_contexts(contexts: pd.DataFrame) -> list[str]:
    """Say what became of the loci of each track in which few have a context that is tested, or many have none.

    Few is none, or less than a tenth of the loci that were ranked in the track; many is more than a tenth.

    Parameters
    ----------
    contexts: pandas.DataFrame
        The table of a study.

    Returns
    -------
    sentences: list of str

    Examples
    --------
    >>> contexts = pd.DataFrame({"track": "A", "ranked": True, "context": ["other", "other", None], "y_wt": [2, 1, -1]})
    >>> few_contexts(contexts)[0][:85]
    'track A: 0 of 3 loci are enhancing, neutral or silencing: 2 other, 1 undefined (1 wit'
    """
    sentences = []
    for track, rows in contexts[contexts["ranked"].astype(bool)].groupby("track", sort=False):
        counts = {name: int((rows["context"] == name).sum()) for name in CATEGORIES}
        other, undefined = counts.pop("other"), int(rows["context"].isna().sum())
        tested, n = sum(counts.values()), len(rows)
        if tested and tested >= _FEW * n and undefined <= _FEW * n:
            continue
        text = f"track {track}: {tested} of {n} loci are enhancing, neutral or silencing: {other} other, "
        needed = ["y_wt", *(["y_mut"] if "log_fold" in rows else [])]
        below = int((rows["context"].isna() & (rows[needed] <= 0).any(axis=1)).sum())
        reason = f" ({below} with a prediction that is not above 0: see effects.scale)" if below else ""
        sentences.append(f"{text}{undefined} undefined{reason}.")
    return sentences
