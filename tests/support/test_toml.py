"""TOML that reads back as what was written."""

from __future__ import annotations

import math
import tomllib
from typing import Any

import pytest
from hypothesis import given, strategies as st

from tangermeme_creme.support import toml_key, toml_line, toml_text, toml_value

# A lone surrogate is no character: no text file holds it.
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
scalars = st.one_of(texts, st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(allow_nan=False))
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=9
)
contents = st.recursive(
    st.dictionaries(texts, values), lambda inner: st.dictionaries(texts, values | inner), max_leaves=9
)


@given(contents)
def test_text_reads_back_as_it_was(content: dict[str, Any]) -> None:
    assert tomllib.loads(toml_text(content)) == content


@given(texts, values)
def test_line_reads_back_as_it_was(name: str, value: Any) -> None:
    assert tomllib.loads(toml_line(name, value)) == {name: value}
    assert tomllib.loads(f"{toml_key(name)} = {toml_value(value)}") == {name: value}


def test_not_a_number_reads_back() -> None:
    assert math.isnan(tomllib.loads(toml_line("a", math.nan))["a"])


def test_none_is_left_out_and_an_empty_section_is_not() -> None:
    assert tomllib.loads(toml_text({"a": None, "b": {"c": None}, "d": {"e": {}}})) == {"b": {}, "d": {"e": {}}}


def test_long_array_is_wrapped_between_its_items() -> None:
    names = [f"K562 CAGE, replicate-{k}" for k in range(20)]
    lines = toml_line("tracks", names).split("\n")
    assert lines[0] == "tracks = [" and lines[-1] == "]" and len(lines) > 4
    assert all(len(line) <= 118 and line.startswith('    "') for line in lines[1:-1])
    assert tomllib.loads("\n".join(lines)) == {"tracks": names}


@pytest.mark.parametrize("value", [None, b"x", {1, 2}])
def test_value_that_toml_lacks_is_refused(value: object) -> None:
    with pytest.raises(TypeError, match=r"TOML holds strings, .*; got " + repr(value)[:2]):
        toml_value([value])
