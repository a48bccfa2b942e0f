"""Read the attributes of a GTF line: keys and values, separated by semicolons."""

from __future__ import annotations

import re
from collections.abc import Container

# A quoted value, in which \" is a quote; or the same where a backslash is a character like any other. Possessive
# quantifiers keep the time linear in the length of a line.
_QUOTED = (r'"(?:[^"\\]|\\.)*+"', r'"[^"]*+"')
_ATTRIBUTES = tuple(
    re.compile(rf'\s*+(?:([^\s;"=#]++)(?:\s++({quoted}(?:\s*+,\s*+{quoted})*+|[^\s";][^";]*+))?+)?+\s*+(?:;|$)')
    for quoted in _QUOTED
)
_VALUES = tuple(re.compile(quoted) for quoted in _QUOTED)
# Nearly all lines: one value per key, without a backslash. Two calls of the regular expressions read such a line.
_PLAIN = re.compile(r'\s*+([^\s;"=#]++)\s++("[^"\\]*+"|[^\s";]++)\s*+(?:;|$)')
_ALL_PLAIN = re.compile(rf"(?:{_PLAIN.pattern})+\s*")


def read_attributes(text: str, wanted: Container[str]) -> dict[str, str]:
    r"""Read the attributes of a GTF line that are wanted; values without quotes may be one word.

    The whole text must be attributes, so that no part of a value is taken for a key. A text that is quoted as a whole,
    with each quote doubled, as pandas writes it, is read as well, and a comment after the last attribute.

    Raises
    ------
    ValueError
        If the text is not attributes, or a wanted attribute has several values. The message is the rule.

    Examples
    --------
    >>> read_attributes('gene "PAWR"; Note "shift","gene fragment"; level 2;', {"gene", "level"})
    {'gene': 'PAWR', 'level': '2'}
    >>> read_attributes('"gene_id ""G1""; level 2;"', {"gene_id"})
    {'gene_id': 'G1'}
    """
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = text[1:-1].replace('""', '"')
    if _ALL_PLAIN.fullmatch(text):
        return _of_pairs(_PLAIN.findall(text), _VALUES[0], wanted)
    for pattern, value in zip(_ATTRIBUTES, _VALUES):
        pairs = _pairs(text, pattern)
        if pairs is not None:
            return _of_pairs(pairs, value, wanted)
    if text.count('"') % 2:
        raise ValueError("the quotes of a GTF line must be closed (is the file cut short?)")
    raise ValueError('a GTF line must have attributes such as gene_id "...", separated by ";" (GFF3 is not read)')


def _pairs(text: str, pattern: re.Pattern[str]) -> list[tuple[str, str]] | None:
    """Return all keys and values of a text, or None if any part of it is no attribute."""
    pairs: list[tuple[str, str]] = []
    place = 0
    while place < len(text):
        match = pattern.match(text, place)
        if match is None:
            rest = text[place:].lstrip()
            return pairs if rest.startswith("#") else None
        if match[1]:
            pairs.append((match[1], match[2] or ""))
        place = match.end()
    return pairs


def _of_pairs(pairs: list[tuple[str, str]], value: re.Pattern[str], wanted: Container[str]) -> dict[str, str]:
    attributes: dict[str, str] = {}
    for key, text in pairs:
        if key not in wanted:
            continue
        if text.startswith('"'):
            one = value.fullmatch(text) is not None
            text = text[1:-1].replace('\\"', '"')
        else:
            text = text.rstrip()
            one = len(text.split()) < 2
        if not one or attributes.get(key, text) != text:
            raise ValueError(f"a GTF line must have one {key}")
        attributes[key] = text
    return attributes
