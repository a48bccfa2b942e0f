"""Names of files: short and plain, one per list of loci."""

import re

import hypothesis.strategies as st
from hypothesis import given

from tangermeme_creme.study.store import file_name

lists = st.lists(st.text(min_size=1, max_size=400), min_size=1, max_size=4)


@given(lists)
def test_file_name_is_short_and_plain(examples: list[str]) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_+-]{17,85}", file_name(examples))


@given(lists, lists)
def test_file_name_tells_lists_apart(one: list[str], other: list[str]) -> None:
    assert (file_name(one) == file_name(other)) == (one == other)


@given(st.text(max_size=5), st.text(max_size=5), st.integers(0, 5))
def test_file_name_does_not_join_names(one: str, other: str, digit: int) -> None:
    joined = [f"{one}\n{digit} {other}"], [f"{one}\n{len(other)} {other}"], [f"{one}{other}"], [other, one]
    names = {file_name(examples) for examples in ([one, other], *joined)}
    assert len(names) == len({tuple(examples) for examples in ([one, other], *joined)})
