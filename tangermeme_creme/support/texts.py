"""Write durations for people."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Write a duration in the two largest units that matter, or in one unit from ten minutes or ten hours on.

    Examples
    --------
    >>> [duration(seconds) for seconds in (0, 0.002, 0.04, 75.2, 900)]
    ['0 s', '< 0.01 s', '0.04 s', '1 min 15 s', '15 min']
    >>> [duration(hours * 3600) for hours in (0.2, 2.03, 130, 12_000)]
    ['12 min', '2 h 2 min', '130 h', '12,000 h']
    """
    if 0 < seconds < 0.01:
        return "< 0.01 s"
    if seconds < 59.95:  # from there on, three digits round to 60 s
        return f"{seconds:.3g} s"
    whole_seconds, minutes = round(seconds), round(seconds / 60)
    if whole_seconds < 600:
        return f"{whole_seconds // 60} min {whole_seconds % 60} s"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 600:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{seconds / 3600:,.0f} h"
