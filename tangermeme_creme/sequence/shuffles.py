"""Draw seeded shuffles: the backgrounds of each example, and the shuffles of its tiles."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Container, Sequence
from functools import wraps
from typing import Any

import numpy as np
import torch
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.utils import PackedSequence

from ..support import warn
from .counts import check_count
from .edits import join_packed, pack, to_one_hot
from .spans import integers

ShuffleFn = Callable[..., Any]
RandomState = int | Sequence[int] | np.ndarray | torch.Tensor | None

_MAX_SEED = 2**32 - 1


def example_seeds(random_state: RandomState, n_examples: int) -> list[int]:
    """Return one seed per example.

    Parameters
    ----------
    random_state: int, one int per example, or None
        An int gives example i the seed ``random_state + i``, as in tangermeme. With one int per example, the results
        of an example do not depend on the other examples. None draws the first seed from numpy's global generator.

    n_examples: int
        N.

    Returns
    -------
    seeds: list of int

    Raises
    ------
    ValueError
        If a seed is not an integer in [0, 2**32), or the number of seeds is neither 1 nor N.

    Examples
    --------
    >>> example_seeds(7, 3), example_seeds([5, 9], 2)
    ([7, 8, 9], [5, 9])
    """
    if random_state is None:
        random_state = int(np.random.randint(0, 2**31 - 1))  # noqa: NPY002  tangermeme draws it there too
    seeds = integers(random_state, "random_state")  # type: ignore[arg-type]
    if seeds.ndim == 0:
        seeds = seeds + torch.arange(n_examples)
    if seeds.shape != (n_examples,):
        raise ValueError(
            f"random_state must be one int or one per example ({n_examples}); got shape {tuple(seeds.shape)}."
        )
    bad = (seeds < 0) | (seeds > _MAX_SEED)
    if bad.any():
        i = int(bad.nonzero()[0])
        raise ValueError(f"random_state must be in [0, 2**32); got {seeds[i]} for example {i}.")
    return seeds.tolist()


def tile_seed(seed: int, start: int, end: int) -> int:
    """Return the seed for shuffling tile [start, end) of an example with seed `seed`.

    The seed depends on nothing else, so that adding or reordering tiles changes no shuffle.

    Examples
    --------
    >>> tile_seed(0, 804, 5804) == tile_seed(0, 804, 5804) != tile_seed(0, 805, 5804)
    True
    """
    return int(np.random.SeedSequence([seed, start, end]).generate_state(1)[0] >> 1)


class Shuffler:
    """Draw seeded shuffles of base codes and record the sequences that a shuffle does not change.

    A sequence that has only one shuffle (all unknown, a homopolymer, a single Eulerian path) is returned unchanged
    instead of raising an error; `warn` reports once how many and which. The first k of n shuffles equal a run with n=k.

    Parameters
    ----------
    shuffle_fn: callable
        A function with tangermeme's signature ``(X, start, end, n, random_state)``; `start` and `end` may be missing.
        It takes int8 one-hot, shape (1, 4, length), and returns (1, n, 4, length), one-hot or packed.

    Examples
    --------
    >>> shuffler = Shuffler(dinucleotide_shuffle)
    >>> codes = torch.tensor([0, 1, 2, 3, 0, 2, 1, 3, 3, 0], dtype=torch.uint8)
    >>> shuffled = shuffler(codes, 2, seed=0, name="tile")
    >>> shuffled.shape, bool((shuffled.sort().values == codes.sort().values).all())
    (torch.Size([2, 10]), True)
    """

    def __init__(self, shuffle_fn: ShuffleFn) -> None:
        if not callable(shuffle_fn):
            raise ValueError(
                "shuffle_fn must be a function with the signature of tangermeme's dinucleotide_shuffle; got "
                f"{shuffle_fn!r}."
            )
        self._shuffle_fn = shuffle_fn
        accepted = _parameters(shuffle_fn)
        self._takes_span = "start" in accepted and "end" in accepted
        # Packed shuffles need a sixteenth of the memory, and tangermeme promises the same shuffles.
        extras = {"allow_N": True, "return_packed": True}
        self._extras = {name: value for name, value in extras.items() if name in accepted}
        self._drawn = 0
        self._unchanged: list[str] = []

    def __call__(self, codes: torch.Tensor, n: int, *, seed: int, name: str) -> torch.Tensor:
        """Shuffle `codes`, shape (length,), `n` times to (n, length); the warning and errors show `name`."""
        try:
            shuffled = self._draw(codes, n, seed, name)
        except ValueError as error:
            # tangermeme refuses n > 1 shuffles that are all the same. Repeating the first one keeps the first k of n
            # equal to a run with n=k.
            if n == 1 or "identical" not in str(error):
                raise
            shuffled = self._draw(codes, 1, seed, name).repeat(n, 1)
        self._drawn += 1
        if bool((shuffled == codes).all()):
            self._unchanged.append(name)
        return shuffled

    def background(self, codes: torch.Tensor, n: int, *, seed: int, example: int) -> torch.Tensor:
        """Draw n backgrounds, shape (n, L), of an example with codes of shape (L,)."""
        return self(codes, n, seed=seed, name=f"example {example}")

    def tile(self, codes: torch.Tensor, start: int, end: int, n: int, *, seed: int, example: int) -> torch.Tensor:
        """Draw n shuffles, shape (n, end - start), of tile [start, end) of an example with codes of shape (L,)."""
        name = f"tile [{start}, {end}) of example {example}"
        return self(codes[start:end], n, seed=tile_seed(seed, start, end), name=name)

    def warn(self) -> None:
        """Warn once of the sequences that came back unchanged: how many and which."""
        if not self._unchanged:
            return
        shown = ", ".join(self._unchanged[:5]) + (", ..." if len(self._unchanged) > 5 else "")
        message = f"{len(self._unchanged)} of {self._drawn} shuffled sequences came back unchanged: {shown}."
        self._unchanged, self._drawn = [], 0
        warn(message)

    def _draw(self, codes: torch.Tensor, n: int, seed: int, name: str) -> torch.Tensor:
        span = {"start": 0, "end": len(codes)} if self._takes_span else {}
        X = to_one_hot(codes[None])
        shuffled = self._shuffle_fn(X, **span, n=n, random_state=seed, **self._extras)
        if tuple(getattr(shuffled, "shape", ())) != (1, n, 4, len(codes)):
            raise ValueError(
                f"shuffle_fn must return shape {(1, n, 4, len(codes))} for {name}; "
                f"got {tuple(getattr(shuffled, 'shape', ()))}."
            )
        return pack(shuffled, "what shuffle_fn returns", batch_axes=2).to_codes()[0]


def _parameters(shuffle_fn: ShuffleFn) -> Container[str]:
    try:
        return inspect.signature(shuffle_fn).parameters
    except ValueError:  # a function of C without a signature
        return ()


def later_shuffles(shuffle_fn: ShuffleFn, first: int) -> ShuffleFn:
    """Make a shuffle function that skips the first shuffles of each random stream.

    The skipped shuffles are drawn too, and then left out.

    Parameters
    ----------
    shuffle_fn: callable
        A function with tangermeme's signature.

    first: int
        Number of shuffles to skip.

    Returns
    -------
    later: callable
        Has the same signature, with `n` as a keyword. It returns the last n shuffles of a run with ``n = first + n``.

    Examples
    --------
    >>> from tangermeme.utils import random_one_hot
    >>> X = random_one_hot((1, 4, 50), random_state=0)
    >>> five = dinucleotide_shuffle(X, n=5, random_state=0)
    >>> bool((later_shuffles(dinucleotide_shuffle, 3)(X, n=2, random_state=0) == five[:, 3:]).all())
    True
    """

    @wraps(shuffle_fn)
    def later(X: torch.Tensor, *args: Any, n: int, **kwargs: Any) -> Any:
        try:
            return shuffle_fn(X, *args, n=first + n, **kwargs)[:, first:]
        except ValueError as error:
            if "identical" not in str(error):  # as in `Shuffler`: all shuffles equal the first
                raise
            return shuffle_fn(X, *args, n=1, **kwargs)[:, torch.zeros(n, dtype=torch.int64)]

    return later if first else shuffle_fn


def shuffle_backgrounds(
    X: torch.Tensor | PackedSequence,
    *,
    n: int = 10,
    shuffle_fn: ShuffleFn = dinucleotide_shuffle,
    random_state: RandomState = None,
) -> PackedSequence:
    """Draw shuffled backgrounds to share between tests.

    The backgrounds of example i are exactly
    ``dinucleotide_shuffle(X[i:i+1], n=n, random_state=seed_i, allow_N=True)``. Tests with the same `random_state` draw
    the same backgrounds; pass them as `backgrounds` to draw them once. Costs no forward pass and ``N * n * L / 4``
    bytes.

    Parameters
    ----------
    X: torch.Tensor, shape=(N, 4, L), or PackedSequence
        One-hot sequences. All-zero columns are unknown bases; a shuffle keeps the number and the total length of their
        runs, but moves the runs, as tangermeme does with ``allow_N=True``.

    n: int, optional
        Backgrounds per example. The first k of n equal a run with n=k. Default is 10.

    shuffle_fn: callable, optional
        A function with tangermeme's signature. Default is `tangermeme.ersatz.dinucleotide_shuffle`.

    random_state: int, one int per example, or None, optional
        As `example_seeds`. Default is None.

    Returns
    -------
    backgrounds: PackedSequence, shape=(N, n, 4, L)

    Raises
    ------
    ValueError
        If X is not one-hot, or n is below 1.

    Examples
    --------
    >>> from tangermeme.utils import random_one_hot
    >>> shuffle_backgrounds(random_one_hot((2, 4, 50), random_state=0), n=3, random_state=0).shape
    torch.Size([2, 3, 4, 50])
    """
    packed = pack(X)
    check_count("n", n)
    shuffler = Shuffler(shuffle_fn)
    parts = []
    for i, seed in enumerate(example_seeds(random_state, len(packed))):
        codes = shuffler.background(packed[i].to_codes(), n, seed=seed, example=i)
        parts.append(PackedSequence.from_codes(codes))
    shuffler.warn()
    return join_packed(parts).reshape(len(parts), n)
