"""The two parts of a model on the codes of sequences: one-hot encoded, on the device, in the dtype."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from ...sequence import to_one_hot
from ..cache import Entry
from ..device import autocasting
from .identity import ModelIdentity
from .local_runs import PartFails, SplitError, check_activations
from .model import IncrementalModel
from .split import SplitLocal
from .taps import Touched, tensors_of


class Parts:
    """Run `local`, `head`, or the whole of a model.

    Parameters
    ----------
    model: IncrementalModel
        In evaluation mode, on the device.

    identity: ModelIdentity
        Of the model.

    device: torch.device

    dtype: torch.dtype
        Of the one-hot encoded sequences; half precision runs under autocast.
    """

    def __init__(
        self, model: IncrementalModel, identity: ModelIdentity, device: torch.device, dtype: torch.dtype
    ) -> None:
        self.model, self.identity, self.device, self.dtype = model, identity, device, dtype

    def run_local(self, codes: torch.Tensor) -> list[torch.Tensor]:
        """Run `local` on stretches, shape (B, W), and check its outputs."""
        self.identity.decide()
        try:
            with torch.no_grad(), autocasting(self.device, self.dtype):
                outputs = self.model.local(self._one_hot(codes))
        except Touched as error:
            raise SplitError(str(error)) from error
        return check_activations(outputs, len(codes), self.model.axis)

    def run_head(self, activations: list[torch.Tensor], args: Sequence[torch.Tensor]) -> Any:
        """Predict from trimmed activations; further inputs are on the device.

        Raises
        ------
        SplitError
            If the rest of a split network reads what it does not get, as another sequence may show.
        """
        self.identity.decide()
        with self.identity.counting_passes():
            try:
                y = self.model.finish(activations, *args)
            except Touched as error:
                raise SplitError(str(error)) from error
            except (torch.OutOfMemoryError, MemoryError):
                raise  # too little memory says nothing about the model
            except Exception as error:
                # Say a check of the network for NaN, which it gets for X. The error of any other head is the model's.
                if isinstance(self.model.local, SplitLocal):
                    raise PartFails(
                        "the rest of the model must predict from its local modules alone; got "
                        f"{type(error).__name__}: {error}"
                    ) from error
                raise
        if isinstance(self.model.local, SplitLocal) and any(bool(part.isnan().any()) for part in tensors_of(y)):
            raise SplitError("the rest of the model must predict from its local modules alone; got NaN.")
        return y

    def finish(self, activations: list[torch.Tensor], args: Sequence[torch.Tensor] | None) -> Any:
        """Predict from trimmed activations, without a gradient."""
        with torch.no_grad(), autocasting(self.device, self.dtype):
            return self.run_head(activations, self._inputs(args))

    def run_whole(self, codes: torch.Tensor, args: Sequence[torch.Tensor] | None) -> Any:
        """Predict whole sequences, shape (B, L), by the forward of the model."""
        with torch.no_grad(), autocasting(self.device, self.dtype):
            return self.model(self._one_hot(codes), *self._inputs(args))

    def stack(self, entries: Sequence[Entry]) -> list[torch.Tensor]:
        """Stack the activations of several sequences on the device."""
        return [torch.stack([tensor.to(self.device) for tensor in tensors]) for tensors in zip(*entries)]

    def _one_hot(self, codes: torch.Tensor) -> torch.Tensor:
        return to_one_hot(codes.to(self.device)).to(self.dtype)

    def _inputs(self, args: Sequence[torch.Tensor] | None) -> list[torch.Tensor]:
        return [arg.to(self.device, self.dtype) for arg in args or ()]
