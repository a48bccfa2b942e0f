"""Write texts for people: durations, and texts of others so that neither a terminal nor a spreadsheet obeys them."""

from __future__ import annotations

import re

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_FORMULA = tuple("=+-@\uff1d\uff0b\uff0d\uff20")  # the last four are wide forms, which East Asian settings take


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


def printable(text: str) -> str:
    """Escape the characters of a text that a terminal may obey or cannot show, but for line ends and tabs.

    Examples
    --------
    >>> print(printable("GATA2\\x1b[2J\\rβ"))
    GATA2\\x1b[2J\\rβ
    """
    return "".join(
        letter if letter.isprintable() or letter in "\n\t" else letter.encode("unicode_escape").decode()
        for letter in text
    )


def spreadsheet_text(text: str) -> str:
    """Put an apostrophe before a text that a spreadsheet would run as a formula; numbers and signs alone are none.

    Source: https://owasp.org/www-community/attacks/CSV_Injection.

    Examples
    --------
    >>> [spreadsheet_text(text) for text in ("=1+2", "-2-3", "@SUM(A1)", "-2.5e3", "-", "HLA-A")]
    ["'=1+2", "'-2-3", "'@SUM(A1)", '-2.5e3', '-', 'HLA-A']
    """
    content = text.strip()
    runs = content.startswith(_FORMULA) and content not in ("+", "-") and not _NUMBER.fullmatch(content)
    return f"'{text}" if runs else text
