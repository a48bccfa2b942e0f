"""Warnings of the package, gathered where a run wants them in its log."""

from __future__ import annotations

import threading

import pytest
from tangermeme.utils import TangermemeWarning

from tangermeme_creme.support import collected, warn


def test_collected_gathers_what_is_warned_of_within_it() -> None:
    with collected() as outer:
        warn("one")
        with collected() as inner:
            warn("two")
        warn("three")
    assert (outer, inner) == (["one", "three"], ["two"])
    with pytest.warns(TangermemeWarning, match="four"):
        warn("four")


def test_collected_ends_with_an_exception() -> None:
    with pytest.raises(ValueError, match="stop"), collected():
        raise ValueError("stop")
    with pytest.warns(TangermemeWarning, match="after"):
        warn("after")


def test_threads_collect_each_their_own() -> None:
    found: dict[str, list[str]] = {}
    both = threading.Barrier(2)

    def run(name: str) -> None:
        with collected() as messages:
            both.wait()
            warn(name)
            both.wait()
        found[name] = messages

    threads = [threading.Thread(target=run, args=(name,)) for name in ("one", "other")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {"one": ["one"], "other": ["other"]}
