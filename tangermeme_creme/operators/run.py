"""What all tests share: checked inputs, blocks of examples, and sessions on the wild type and on the control."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from tangermeme.ersatz import dinucleotide_shuffle
from tangermeme.predict import predict
from tangermeme.utils import PackedSequence
from tqdm import tqdm

from ..engine import (
    CodesSession,
    EngineOptions,
    Output,
    check_args,
    check_engine_options,
    check_func,
    map_output,
    model_on,
    takes,
    warn_of_cast_args,
    warn_of_unknown_bases,
)
from ..sequence import (
    RandomState,
    ShuffleFn,
    Shuffler,
    Span,
    check_apart,
    check_count,
    example_seeds,
    integers,
    make_edits,
    pack,
)

# The base sequences and contents of a block take about this many bytes: many short examples fill batches together,
# and one long example is a block alone.
_BLOCK_BASES = 2**25


@dataclass
class OperatorRun:
    """One call of a test: its checked inputs, and the steps that all tests share.

    `prepare_run` makes it. `X` is packed, `n` is the number of shuffles per example, `seeds` has one seed per example,
    `session_options` go to every session. Sessions open inside `running` only.
    """

    name: str
    model: torch.nn.Module
    X: PackedSequence
    n: int
    seeds: list[int]
    shuffler: Shuffler
    backgrounds: PackedSequence | None
    args: Sequence[torch.Tensor] | None
    func: Callable[..., Any]
    session_options: dict[str, Any]
    device: str | torch.device | None
    verbose: bool
    noun: str = "example"
    bar: Any = field(default=None)
    _model_keys: dict[Hashable, Hashable] = field(default_factory=dict)

    @property
    def n_examples(self) -> int:
        return len(self.X)

    @property
    def length(self) -> int:
        """Length of the sequences in bp."""
        return self.X.length

    @contextmanager
    def running(self, total: int | None, unit: str = "seq") -> Iterator[None]:
        """Hold the model on its device, show a progress bar over `total` units, and give the warnings at the end."""
        with (
            model_on(self.model, self.device) as self.device,
            tqdm(total=total, desc=self.name, unit=unit, disable=not self.verbose) as self.bar,
        ):
            yield
        self.shuffler.warn()

    def blocks(self, bases: int, total: int | None = None) -> Iterator[torch.Tensor]:
        """Yield the indices of the examples, or of `total` items, in order, a block at a time.

        `bases` is how many base codes one item holds in memory.
        """
        size = max(1, _BLOCK_BASES // max(1, int(bases)))  # torch splits by a Python int only
        if takes(self.func, "random_state"):
            size = 1  # func gets the seed of one example, whatever other examples are in the call
        yield from torch.arange(self.n_examples if total is None else total).split(size)

    def codes(self, examples: torch.Tensor) -> torch.Tensor:
        """Return base codes of `examples`, shape (B, L)."""
        return self.X[examples].to_codes()

    def session(self, codes: torch.Tensor, examples: torch.Tensor, names: Sequence[str] | None = None) -> CodesSession:
        """Open a session on base sequences, shape (rows, L), that belong to `examples`, shape (rows,).

        Edits that are committed change `codes`.
        """
        assert isinstance(self.device, torch.device)
        return CodesSession(
            self.model,
            codes,
            device=self.device,
            args=None if self.args is None else [arg[examples.to(arg.device)] for arg in self.args],
            random_state=self.seeds[int(examples[0])],
            progress=self.bar,
            model_keys=self._model_keys,
            names=names or [f"{self.noun} {i}" for i in examples.tolist()],
            **self.session_options,
        )

    def wild_type(self, examples: torch.Tensor, codes: torch.Tensor) -> Output:
        """Predict the unedited examples. Costs one sequence per example."""
        with self.session(codes, examples) as session:
            return session.predict()

    def draw_backgrounds(self, examples: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Return n backgrounds per example, shape (B * n, L): those of the caller, or else drawn."""
        if self.backgrounds is not None:
            return self.backgrounds[examples][:, : self.n].to_codes().reshape(-1, self.length)
        drawn = [
            self.shuffler.background(codes[b], self.n, seed=self.seeds[i], example=i)
            for b, i in enumerate(examples.tolist())
        ]
        return torch.cat(drawn)

    def control(self, examples: torch.Tensor, codes: torch.Tensor, tss: torch.Tensor) -> CodesSession:
        """Open a session on the control: the TSS tiles, shape (B, 2), in the n backgrounds of each example.

        Row ``b * n + k`` is background k of example b of the block.
        """
        session = self.session(self.draw_backgrounds(examples, codes), examples.repeat_interleave(self.n))
        b = torch.arange(len(examples))[:, None]
        rows = b * self.n + torch.arange(self.n)
        session.commit(make_edits(rows, tss[b, 0], b, cut(codes, tss)))
        return session

    def draw_tiles(
        self, examples: torch.Tensor, codes: torch.Tensor, tiles: torch.Tensor, n: int
    ) -> list[torch.Tensor]:
        """Draw n shuffles per tile and example, in order (example, tile, shuffle)."""
        content: list[torch.Tensor] = []
        for b, i in enumerate(examples.tolist()):
            for start, end in tiles.tolist():
                content.extend(self.shuffler.tile(codes[b], start, end, n, seed=self.seeds[i], example=i))
        return content


def prepare_run(
    name: str,
    model: torch.nn.Module,
    X: torch.Tensor | PackedSequence,
    *,
    n: int = 1,
    shuffle_fn: ShuffleFn = dinucleotide_shuffle,
    backgrounds: torch.Tensor | PackedSequence | None = None,
    args: Sequence[torch.Tensor] | None = None,
    random_state: RandomState = 0,
    func: Callable[..., Any] = predict,
    additional_func_kwargs: dict[str, Any] | None = None,
    kwargs: Mapping[str, Any],
    X_name: str = "X",
    args_name: str = "args",
) -> OperatorRun:
    """Check the arguments that all tests share; `kwargs` are `EngineOptions`, and arguments of your own `func`."""
    packed = pack(X, X_name)
    check_count("n", n)
    known = EngineOptions.__optional_keys__
    options = {key: value for key, value in kwargs.items() if key in known}
    others = {key: value for key, value in kwargs.items() if key not in known}
    checked = ("batch_size", "incremental", "cache", "dtype", "device", "allow_stochastic", "verbose")
    check_engine_options(model, **{key: options[key] for key in checked if key in options})
    check_func(func, additional_func_kwargs, "additional_func_kwargs")
    if others and func is predict:
        raise TypeError(f"{name}() got an unexpected keyword argument {next(iter(others))!r}.")
    check_args(args, len(packed), args_name)
    warn_of_cast_args(args, func, args_name)
    warn_of_unknown_bases(model, packed, X_name)
    return OperatorRun(
        name=name,
        model=model,
        X=packed,
        n=n,
        seeds=example_seeds(random_state, len(packed)),
        shuffler=Shuffler(shuffle_fn),
        backgrounds=None if backgrounds is None else _check_backgrounds(backgrounds, packed, n),
        args=args,
        func=func,
        device=options.pop("device", None),
        verbose=bool(options.pop("verbose", False)),
        session_options={
            "func": func,
            "func_kwargs": {**others, **(additional_func_kwargs or {})},
            "one_hot_dtype": X.dtype if isinstance(X, torch.Tensor) else torch.int8,
            **options,
        },
    )


def _check_backgrounds(backgrounds: torch.Tensor | PackedSequence, X: PackedSequence, n: int) -> PackedSequence:
    packed = pack(backgrounds, "backgrounds", batch_axes=2)
    shape = tuple(packed.shape)
    if shape[0] != len(X) or shape[1] < n or shape[3] != X.length:
        raise ValueError(f"backgrounds must have shape ({len(X)}, {n} or more, 4, {X.length}); got {shape}.")
    return packed


def cut(codes: torch.Tensor, spans: torch.Tensor) -> list[torch.Tensor]:
    """Copy one span, shape (B, 2), from each row of `codes`, shape (B, L)."""
    return [row[start:end].clone() for row, (start, end) in zip(codes, spans.tolist())]


def as_span(row: torch.Tensor) -> Span:
    """Return a span, shape (2,), as a tuple.

    Examples
    --------
    >>> as_span(torch.tensor([3, 8]))
    (3, 8)
    """
    start, end = row.tolist()
    return start, end


def unflatten(y: Output, *shape: int) -> Output:
    """Split the first axis of an output, or of each of several outputs, into `shape`."""
    return map_output(lambda y_: y_.reshape(*shape, *y_.shape[1:]), y)


def check_positions(
    positions: torch.Tensor | Sequence[int], tss: torch.Tensor, cre: torch.Tensor, length: int
) -> torch.Tensor:
    """Return start positions, shape (P,); refuse those where a CRE leaves the sequence or overlaps its TSS tile."""
    starts = integers(positions, "positions")
    if starts.ndim != 1 or len(starts) == 0:
        raise ValueError(f"positions must be at least one start, shape (P,); got shape {tuple(starts.shape)}.")
    width = cre[:, 1] - cre[:, 0]
    ends = starts + width[:, None]
    off = (starts < 0) | (ends > length)
    if off.any():
        i, p = off.nonzero()[0].tolist()
        raise ValueError(
            f"positions must keep the CRE inside the sequence of {length} bp; got [{starts[p]}, {ends[i, p]}) "
            f"at index {p}."
        )
    placed = torch.stack([starts.expand_as(ends), ends], dim=-1)
    check_apart(placed, tss[:, None], "positions", "tss_tile")
    return starts
