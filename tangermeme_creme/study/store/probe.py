"""Compare what a model predicts with what the model of a study predicted when the study began."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def probe_change(old: Mapping[str, Any] | None, new: Mapping[str, Any] | None) -> str:
    """Say by how much the predictions of two probes differ, if that is more than rounding.

    A fingerprint tells weights and settings of a model apart; a probe tells apart what else decides its predictions,
    such as its code. Another device, number of threads or batch only moves the last bits.

    Parameters
    ----------
    old, new: mapping or None
        Each with `predictions`, the numbers that a model predicts for each of some sequences by their names, and
        `tolerance`, how far they may be off, relative to the largest. Sequences that one of the two lacks do not count.

    Returns
    -------
    change: str
        "" if the predictions agree, or a probe is None.

    Examples
    --------
    >>> old = {"predictions": {"a random sequence": [1.0, 4.0]}, "tolerance": 1e-4}
    >>> probe_change(old, {"predictions": {"a random sequence": [1.0, 3.0]}, "tolerance": 2e-3})
    'its prediction of a random sequence is off by 0.25 of the largest, where rounding is up to 0.002'
    >>> probe_change(old, {"predictions": {"a random sequence": [1.0, 4.0001]}, "tolerance": 1e-4})
    ''
    """
    if old is None or new is None:
        return ""
    were, are = old["predictions"], new["predictions"]
    shared = [name for name in were if name in are]
    scale = max((abs(value) for name in shared for value in were[name]), default=0.0)
    tolerance = max(old["tolerance"], new["tolerance"])
    for name in shared:
        if len(were[name]) != len(are[name]):
            return f"its prediction of {name} has {len(are[name])} numbers, where it had {len(were[name])}"
    off = {name: max((abs(was - now) for was, now in zip(were[name], are[name])), default=0.0) for name in shared}
    worst = max(off, key=off.__getitem__, default="")
    if not worst or off[worst] <= tolerance * scale:
        return ""
    relative = f"{off[worst] / scale:.2g} of the largest" if scale else f"{off[worst]:.2g}, where it was 0"
    return f"its prediction of {worst} is off by {relative}, where rounding is up to {tolerance:g}"
