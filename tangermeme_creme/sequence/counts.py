"""Check counts and choices before anything is computed."""

from __future__ import annotations

import numpy as np


def check_count(name: str, value: int, minimum: int | None = 1) -> None:
    """Refuse a count that is not an integer, or that is below `minimum`; None sets no minimum.

    Examples
    --------
    >>> check_count("n", 10)
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise ValueError(f"{name} must be an integer; got {value!r}.")
    if minimum is not None and value < minimum:
        raise ValueError(f"{name} must be at least {minimum}; got {value}.")


def check_choice(name: str, value: object, *choices: str) -> None:
    """Refuse a value that is none of some words.

    Examples
    --------
    >>> check_choice("carry", "all", "closest", "all")
    """
    if not isinstance(value, str) or value not in choices:
        *others, last = map(repr, choices)
        raise ValueError(f"{name} must be {', '.join(others)} or {last}; got {value!r}.")
