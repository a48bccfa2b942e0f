"""Run `local` of a model to measure it: outputs checked, bases counted, and no more of them than allowed."""

from __future__ import annotations

from typing import Any, Protocol

import torch

from ...sequence import to_one_hot
from .model import IncrementalModel
from .reads import Reads
from .taps import Touched

# Whole sequences that all measurements of one model may take. Most networks take 3 to 10, those of few long bins more.
_MOST_SEQUENCES = 24


class SplitError(ValueError):
    """A model cannot be evaluated in part; the message gives the reason."""


class PartFails(SplitError):
    """The code of a split network raises an error, as it may in full as well."""


class SequenceBar(Protocol):
    """A bar that is told how many whole sequences have run: tqdm, or any object with its `update`."""

    def update(self, n: float) -> object: ...


class LocalRuns:
    """Run `local` on sequences, and count their bases.

    Parameters
    ----------
    model: IncrementalModel
        In evaluation mode, on the device.

    length: int
        Length of the sequences in bp that the model is measured for.

    device: torch.device

    dtype: torch.dtype
        Of the one-hot sequences.

    bar: SequenceBar or None, optional
        Default is None.

    Attributes
    ----------
    sequences: float
        The bases that ran, in units of whole sequences.

    Raises
    ------
    SplitError
        If `local` fails or returns no bins, or has run on as many bases as measurements may take.
    """

    def __init__(
        self,
        model: IncrementalModel,
        length: int,
        device: torch.device,
        dtype: torch.dtype,
        bar: SequenceBar | None = None,
    ) -> None:
        self.model, self.length, self.device, self.dtype = model, length, device, dtype
        self.sequences = 0.0
        self._bar = bar
        self._bins: dict[int, list[int]] = {}

    def __call__(self, X: torch.Tensor) -> list[torch.Tensor]:
        """Run `local`; return its outputs."""
        share = len(X) * X.shape[-1] / self.length
        if self.sequences + share > _MOST_SEQUENCES:
            raise SplitError(
                f"the checks of a model must end within {_MOST_SEQUENCES} whole sequences; got no stride and no reach "
                f"for its bins by then."
            )
        self.sequences += share
        if self._bar is not None:
            self._bar.update(share)
        outputs = run_local(self.model, X)
        self._bins[X.shape[-1]] = [output.shape[self.model.axis] for output in outputs]
        return outputs

    def following(self, X: torch.Tensor) -> tuple[list[torch.Tensor], bool]:
        """Run `local`; return its outputs, and whether values of X decided what ran."""
        reads = Reads()
        reads.follow(0, X)
        try:
            with reads:
                return self(X), bool(reads.decided)
        except SplitError:
            return self(X), False  # raises again, unless it is the following that fails

    def bins(self, bp: int) -> list[int]:
        """Return how many bins each output has for a sequence of `bp` bases."""
        if bp not in self._bins:
            self(self.random(1, bp))
        return self._bins[bp]

    def random(self, n: int, bp: int, unknown: bool = False) -> torch.Tensor:
        """Return random sequences, always the same, shape (n, 4, bp); with a run of unknown bases in the first half."""
        codes = torch.randint(0, 4, (n, bp), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
        if unknown:
            codes[:, bp // 8 : bp // 8 + max(1, bp // 16)] = 4
        return to_one_hot(codes.to(self.device), self.dtype)


def run_local(model: IncrementalModel, X: torch.Tensor) -> list[torch.Tensor]:
    """Run `local` and check its outputs.

    Raises
    ------
    SplitError
        If `local` fails, or does not return floating-point tensors with one row per sequence and the bins on the
        model's axis.
    """
    try:
        outputs = model.local(X.clone())  # the model may write into X
    except (torch.OutOfMemoryError, MemoryError):
        raise  # too little memory says nothing about the model
    except Touched as error:
        raise SplitError(str(error)) from error
    except Exception as error:
        raise SplitError(
            f"local must run on any stretch of whole strides; got an error at {X.shape[-1]} bp: {error}"
        ) from error
    return check_activations(outputs, len(X), model.axis)


def check_activations(outputs: Any, n_rows: int, axis: int) -> list[torch.Tensor]:
    """Return the outputs of `local` as a list, or raise a SplitError that says what is wrong with them."""
    tensors = [outputs] if isinstance(outputs, torch.Tensor) else outputs
    if not isinstance(tensors, (list, tuple)) or not tensors:
        raise SplitError(f"local must return a tensor or a tuple of tensors; got {type(outputs).__name__}.")
    for i, tensor in enumerate(tensors):
        if not isinstance(tensor, torch.Tensor) or not tensor.is_floating_point():
            got = tensor.dtype if isinstance(tensor, torch.Tensor) else type(tensor).__name__
            raise SplitError(f"local must return floating-point tensors; got {got} at output {i}.")
        if tensor.ndim < 2 or len(tensor) != n_rows or not -tensor.ndim < axis < tensor.ndim or axis == 0:
            raise SplitError(
                f"local must return one row per sequence, with the bins on axis {axis}; got shape "
                f"{tuple(tensor.shape)} at output {i} for {n_rows} sequences."
            )
    return list(tensors)
