"""Activations of base sequences, kept while they fit."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable

import torch

from .memory import free_bytes
from .work import Work

Entry = tuple[torch.Tensor, ...]


class ActivationCache:
    """Outputs of `local` for whole sequences, least recently used first out.

    Every session has one of its own. Given to several tests as ``cache=``, one is shared, so that the sequences that
    they have in common (the wild type of a locus, the backgrounds of one seed) run through `local` once. An entry is
    found again by the bases of the sequence, the model, its weights and the arithmetic; so a cache is never stale, and
    never wrong to share.

    Parameters
    ----------
    max_bytes: int, optional
        How much to keep, wherever it lies. Default is 2**30, one GiB: 113 sequences of the published Enformer.

    device_bytes: int or None, optional
        How much of it may stay on an accelerator; what is more is kept on the CPU. None is half of what is free on
        the device when the first entry comes. Default is None.

    Attributes
    ----------
    work: Work
        What all sessions that used this cache have run.

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
        self._on_device = 0
        self.nbytes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: Hashable) -> bool:
        return key in self._entries

    def get(self, key: Hashable) -> Entry | None:
        """The entry, from now on the most recently used, or None."""
        if key not in self._entries:
            return None
        self._entries.move_to_end(key)
        return self._entries[key]

    def put(self, key: Hashable, entry: Entry) -> None:
        """Keep an entry, in the place of one of the same key; the least recently used go. None is copied."""
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

    def copy(self) -> ActivationCache:
        """A cache with the same entries, whose tensors are shared, and work of its own; later changes are not shared.

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
        other._on_device, other.nbytes = self._on_device, self.nbytes
        return other

    def clear(self) -> None:
        """Forget all entries."""
        self._entries.clear()
        self.nbytes = self._on_device = 0

    def _remove(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self.nbytes -= _nbytes(entry)
            if entry[0].device.type != "cpu":
                self._on_device -= _nbytes(entry)


def _nbytes(entry: Entry) -> int:
    return sum(tensor.nbytes for tensor in entry)
