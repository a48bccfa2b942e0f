"""Write TOML, which the standard library reads only."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

_WIDTH = 118
_INDENT = "    "


def toml_text(content: Mapping[str, Any]) -> str:
    """Write nested dictionaries as a TOML file. Keys whose value is None are left out, since TOML has no such value.

    Examples
    --------
    >>> print(toml_text({"seed": 1, "tests": {"swap": {"n": 5}}, "annotation": {"my peaks": "a.bed"}}), end="")
    seed = 1
    <BLANKLINE>
    [tests.swap]
    n = 5
    <BLANKLINE>
    [annotation]
    "my peaks" = "a.bed"
    """
    return "\n".join(_section(content, "")).lstrip("\n") + "\n"


def toml_line(name: str, value: Any) -> str:
    """Write a key with its value, and a long array over several lines.

    Examples
    --------
    >>> toml_line("scales", (500, 50))
    'scales = [500, 50]'
    """
    line = f"{toml_key(name)} = {toml_value(value)}"
    if len(line) <= _WIDTH or not isinstance(value, (list, tuple)):
        return line
    lines = [_INDENT]
    for item in value:
        text = f"{toml_value(item)},"
        if lines[-1] == _INDENT:
            lines[-1] += text
        elif len(lines[-1]) + 1 + len(text) <= _WIDTH:
            lines[-1] += f" {text}"
        else:
            lines.append(_INDENT + text)
    return "\n".join([f"{toml_key(name)} = [", *lines, "]"])


def toml_value(value: Any) -> str:
    """Write a value on one line: a string, a number, a truth value, an array of them or an inline table.

    Raises
    ------
    TypeError
        If TOML has no value of this kind.

    Examples
    --------
    >>> toml_value({"n": 10, "scales": [500, 50], "a b": "β", "tolerance": float("nan"), "on": True})
    '{ n = 10, scales = [500, 50], "a b" = "β", tolerance = nan, on = true }'
    """
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{toml_key(name)} = {toml_value(part)}" for name, part in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(toml_value, value))}]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")  # TOML forbids it, JSON does not
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # nan, inf, -inf
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    raise TypeError(f"TOML holds strings, numbers, truth values, arrays and tables; got {value!r}.")


def toml_key(name: str) -> str:
    """Write a key, in quotes if TOML asks for them.

    Examples
    --------
    >>> toml_key("per_category"), toml_key("my peaks")
    ('per_category', '"my peaks"')
    """
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else toml_value(name)


def _section(content: Mapping[str, Any], path: str) -> list[str]:
    """The lines of a section: its own keys first, since a key after a header belongs to that header's section."""
    stated = {name: value for name, value in content.items() if value is not None}
    sections = {name: value for name, value in stated.items() if isinstance(value, Mapping)}
    lines = [toml_line(name, value) for name, value in stated.items() if name not in sections]
    if path and (lines or not sections):  # the headers of inner sections name a section that has no key itself
        lines = ["", f"[{path}]", *lines]
    for name, value in sections.items():
        lines += _section(value, f"{path}.{toml_key(name)}" if path else toml_key(name))
    return lines
