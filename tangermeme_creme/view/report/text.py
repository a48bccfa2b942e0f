"""Texts of a page: numbers for people, and texts without the folders of the machine that wrote them."""

from __future__ import annotations

import re
from typing import Any

_QUOTED = re.compile(r"""(['"])(?:/|[A-Za-z]:[\\/])(?:[^'"\n]*[\\/])?([^'"\\/\n]*)\1""")
_BARE = re.compile(r"""(?<![\w./:~-])(?:~?/|[A-Za-z]:[\\/])(?:[^\s'"\\/:,;<>]+[\\/])+([^\s'"\\/:,;<>]*)""")


def without_folders(text: Any) -> Any:
    """Cut the absolute paths in a text to their last names, so that a page tells nothing about a machine.

    Examples
    --------
    >>> without_folders("No such file: '/home/me/a b/x.bw', of /data/hg38/genome.fa, see https://a.org/b/c and x/y")
    "No such file: 'x.bw', of genome.fa, see https://a.org/b/c and x/y"
    """
    if not isinstance(text, str):
        return text
    return _BARE.sub(r"\1", _QUOTED.sub(r"\1\2\1", text))


def last_name(path: str) -> str:
    """Return the last name of an absolute path, or all of any other text.

    Examples
    --------
    >>> last_name("/data/hg38/genome.fa"), last_name("data/genome.fa"), last_name("https://a.org/b")
    ('genome.fa', 'data/genome.fa', 'https://a.org/b')
    """
    if re.match(r"[\\/~]|[A-Za-z]:[\\/]", path):
        return re.split(r"[\\/]", path.rstrip("\\/"))[-1]
    return path


def amount(size: float, units: tuple[str, ...] = ("bytes", "kB", "MB", "GB", "TB")) -> str:
    """Write a number of bytes with its unit.

    Examples
    --------
    >>> amount(12), amount(123456), amount(10_000_000)
    ('12 bytes', '123 kB', '10 MB')
    """
    power = 0
    while size >= 999.5 and power < len(units) - 1:
        size, power = size / 1000, power + 1
    return f"{size:.3g} {units[power]}"


def number(value: Any) -> str:
    """Write a number for people: four digits, whole numbers in groups of three, "" for a missing number.

    Examples
    --------
    >>> number(1234567), number(0.123456), number(float("nan")), number(-651.3043)
    ('1,234,567', '0.1235', '', '-651.3')
    """
    if value is None or value != value:
        return ""
    return f"{int(value):,}" if abs(value) < 2**53 and value == int(value) else f"{value:.4g}"
