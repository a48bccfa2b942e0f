"""Cached activations of base sequences, as many as fit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

import torch

from .memory import free_bytes
from .work import Work

Entry = tuple[torch.Tensor, ...]


class ActivationCache:
    """Cache the outputs of `local` for whole sequences; the least recently used entry is dropped first.

    A session makes its own cache unless it is given one. Pass one cache to several tests as ``cache=``, and the
    sequences that these tests share (the wild type of a locus, the backgrounds of one seed) run through `local` once.
    The key of an entry is made of the bases of the sequence, the model, its weights, its plain attributes and its
    dtype. Once per test or session `local` also runs on a short sequence, a sixteenth of the others: where a model
    computes something else than before, whatever has changed in it, its entries are made anew.

    Parameters
    ----------
    max_bytes: int, optional
        Size of the cache, over all devices. Default is 2**30, one GiB: 113 sequences of the published Enformer.

    device_bytes: int or None, optional
        How much of it may lie on an accelerator; further entries lie on the CPU. None is half of the bytes that are
        free on the device when the first entry comes. Default is None.

    Attributes
    ----------
    work: Work
        Counts of all sessions that used this cache.

    Raises
    ------
    ValueError
        If a size is negative.

    Examples
    --------
    >>> cache = ActivationCache(max_bytes=100)
    >>> for name in "abc":
    ...     cache.put(name, (torch.zeros(10),))   # 40 bytes each
    >>> cache.get("a") is None, cache.get("b") is None, cache.nbytes
    (True, False, 80)
    """

    def __init__(self, max_bytes: int = 2**30, *, device_bytes: int | None = None) -> None:
        for name, size in (("max_bytes", max_bytes), ("device_bytes", device_bytes)):
            if size is not None and size < 0:
                raise ValueError(f"{name} must be at least 0; got {size}.")
        self.max_bytes = max_bytes
        self.device_bytes = device_bytes
        self.work = Work()
        self._entries: OrderedDict[Hashable, Entry] = OrderedDict()
        self._probes: dict[Hashable, list[list[torch.Tensor]]] = {}
        self._on_device = 0
        self.nbytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._entries

    def get(self, key: Hashable) -> Entry | None:
        """Return an entry and mark it as the most recently used, or return None."""
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key]

    def put(self, key: Hashable, entry: Entry) -> None:
        """Store an entry, without a copy, in place of one with the same key; drop the least recently used to fit it."""
        self._remove(key)
        size = _nbytes(entry)
        if size > self.max_bytes:
            return
        while self.nbytes + size > self.max_bytes:
            self._remove(next(iter(self._entries)))
        device = entry[0].device
        if device.type != "cpu":
            if self.device_bytes is None:
                self.device_bytes = free_bytes(device) // 2
            if self._on_device + size > self.device_bytes:
                entry = tuple(tensor.cpu() for tensor in entry)
            else:
                self._on_device += size
        self._entries[key] = entry
        self.nbytes += size

    def state_of(self, model: Hashable, probe: list[torch.Tensor], tolerance: float) -> int:
        """Number the states of a model by what it computes for one sequence; a state that came before has its number.

        Parameters
        ----------
        model: hashable
            Stands for the model.

        probe: list of torch.Tensor
            What the model returns for the sequence.

        tolerance: float
            How far the values of one state may differ by rounding, relative to the largest.

        Examples
        --------
        >>> cache = ActivationCache()
        >>> [cache.state_of("model", [torch.tensor([value])], 1e-6) for value in (1.0, 2.0, 1.0)]
        [0, 1, 0]
        """
        known = self._probes.setdefault(model, [])
        for state, other in enumerate(known):
            if len(other) == len(probe) and all(_same(a, b, tolerance) for a, b in zip(probe, other)):
                return state
        known.append([tensor.clone() for tensor in probe])
        return len(known) - 1

    def copy(self) -> ActivationCache:
        """Return a cache with the same entries, whose tensors are shared, and new counts; later changes are not shared.

        Examples
        --------
        >>> cache = ActivationCache()
        >>> cache.put("a", (torch.zeros(10),))
        >>> other = cache.copy()
        >>> other.put("b", (torch.zeros(10),))
        >>> len(cache), len(other)
        (1, 2)
        """
        other = ActivationCache(self.max_bytes, device_bytes=self.device_bytes)
        other._entries = self._entries.copy()
        other._probes = {model: probes.copy() for model, probes in self._probes.items()}
        other._on_device, other.nbytes = self._on_device, self.nbytes
        return other

    def clear(self) -> None:
        """Drop all entries."""
        self._entries.clear()
        self._probes.clear()
        self.nbytes = self._on_device = 0

    def _remove(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.nbytes -= _nbytes(entry)
            if entry[0].device.type != "cpu":
                self._on_device -= _nbytes(entry)


def _same(y: torch.Tensor, expected: torch.Tensor, tolerance: float) -> bool:
    """Return whether two activations agree, each value by the largest of its channel or of its bin."""
    if y.shape != expected.shape or not bool(y.isfinite().all()):
        return False
    off, size = (y - expected).abs(), expected.abs()
    scale = torch.minimum(size.amax(-1, keepdim=True), size.amax(tuple(range(1, size.ndim - 1)), keepdim=True))
    return bool((off <= tolerance * scale).all())


def _nbytes(entry: Entry) -> int:
    return sum(tensor.nbytes for tensor in entry)
