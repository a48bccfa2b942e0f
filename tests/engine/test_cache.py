"""The activation cache as a store: order of use, sizes and devices."""

from __future__ import annotations

from collections import OrderedDict

import pytest
import torch
from hypothesis import given, settings, strategies as st

from tangermeme_creme.engine import ActivationCache


def entry(n_bytes: int, parts: int = 1) -> tuple[torch.Tensor, ...]:
    return tuple(torch.zeros(n_bytes // parts, dtype=torch.uint8) for _ in range(parts))


class OnDevice:
    """What the cache uses of a tensor, on a device that is not there."""

    def __init__(self, nbytes: int, device: str = "cuda:0") -> None:
        self.nbytes, self.device = nbytes, torch.device(device)

    def cpu(self) -> OnDevice:
        return OnDevice(self.nbytes, "cpu")


def kinds(cache: ActivationCache, keys: str) -> list[str]:
    """On what kind of device each entry lies."""
    return [cache.get(key)[0].device.type for key in keys]  # type: ignore[index]


def test_least_recently_used_goes_first() -> None:
    cache = ActivationCache(max_bytes=30)
    for key in "abc":
        cache.put(key, entry(10))
    cache.get("a")
    cache.put("d", entry(10))
    assert [key in cache for key in "abcd"] == [True, False, True, True]


def test_looking_whether_an_entry_is_there_is_no_use_of_it() -> None:
    cache = ActivationCache(max_bytes=20)
    cache.put("a", entry(10))
    cache.put("b", entry(10))
    assert "a" in cache
    cache.put("c", entry(10))
    assert "a" not in cache


def test_put_replaces_an_entry_of_the_same_key() -> None:
    cache = ActivationCache(max_bytes=30)
    cache.put("a", entry(10))
    new = entry(20)
    cache.put("a", new)
    assert cache.get("a") is new
    assert (len(cache), cache.nbytes) == (1, 20)


def test_entry_larger_than_the_cache_is_not_kept_and_moves_nothing_out() -> None:
    cache = ActivationCache(max_bytes=30)
    cache.put("a", entry(10))
    cache.put("b", entry(31))
    assert ("a" in cache, "b" in cache, cache.nbytes) == (True, False, 10)
    cache.put("a", entry(40))
    assert len(cache) == cache.nbytes == 0


def test_clear_forgets_all() -> None:
    cache = ActivationCache()
    cache.put("a", entry(10))
    cache.clear()
    assert (cache.get("a"), len(cache), cache.nbytes) == (None, 0, 0)


@pytest.mark.parametrize("name", ["max_bytes", "device_bytes"])
def test_negative_sizes_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least 0; got -1"):
        ActivationCache(**{name: -1})


actions = st.tuples(st.sampled_from(["put", "get"]), st.integers(0, 6), st.integers(0, 12), st.integers(1, 3))


@given(st.lists(actions, max_size=40), st.integers(0, 40))
@settings(deadline=None)
def test_cache_equals_a_list_in_order_of_use(steps: list[tuple[str, int, int, int]], max_bytes: int) -> None:
    cache, model = ActivationCache(max_bytes), OrderedDict[int, tuple[torch.Tensor, ...]]()

    def size() -> int:
        return sum(part.nbytes for parts in model.values() for part in parts)

    for action, key, n_bytes, parts in steps:
        if action == "get":
            assert cache.get(key) is model.get(key)
            if key in model:
                model.move_to_end(key)
        else:
            new = entry(n_bytes * parts, parts)
            cache.put(key, new)
            model.pop(key, None)
            if n_bytes * parts <= max_bytes:
                model[key] = new
                while size() > max_bytes:
                    model.popitem(last=False)
        assert cache.nbytes == size() <= max_bytes
        assert len(cache) == len(model)
        assert all((k in cache) == (k in model) for k in range(7))


def test_what_does_not_fit_on_the_device_is_kept_on_the_cpu() -> None:
    cache = ActivationCache(max_bytes=100, device_bytes=25)
    for key in "abc":
        cache.put(key, (OnDevice(10),))  # type: ignore[arg-type]
    assert kinds(cache, "abc") == ["cuda", "cuda", "cpu"]
    assert cache.nbytes == 30


def test_room_on_the_device_is_free_again_when_an_entry_goes() -> None:
    cache = ActivationCache(max_bytes=40, device_bytes=20)
    for key in "abcdef":
        cache.put(key, (OnDevice(10),))  # type: ignore[arg-type]
    # "a" and "b" went when "e" and "f" came, which took their places on the device.
    assert kinds(cache, "cdef") == ["cpu", "cpu", "cuda", "cuda"]
    cache.clear()
    cache.put("g", (OnDevice(20),))  # type: ignore[arg-type]
    assert kinds(cache, "g") == ["cuda"]


def test_half_of_what_is_free_on_the_device_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tangermeme_creme.engine.cache.free_bytes", lambda device: 41)
    cache = ActivationCache(max_bytes=100)
    for key in "abc":
        cache.put(key, (OnDevice(10),))  # type: ignore[arg-type]
    assert cache.device_bytes == 20
    assert kinds(cache, "abc") == ["cuda", "cuda", "cpu"]


def test_entries_on_the_cpu_do_not_count_as_on_the_device() -> None:
    cache = ActivationCache(max_bytes=100, device_bytes=10)
    cache.put("a", entry(50))
    cache.put("b", (OnDevice(10),))  # type: ignore[arg-type]
    assert kinds(cache, "b") == ["cuda"]
