"""IncrementalModel: a network as a position-local part and the rest, so that an edit is evaluated in part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from .split import split_at


class IncrementalModel(torch.nn.Module):
    """A network as ``head(local(X))``, where an edit to X changes the output of `local` around the edit only.

    It goes wherever tangermeme takes a model; then its forward is all there is to it. In an `EditSession`, and so in
    every test of this package, the output of `local` for a base sequence is kept, an edit runs `local` on the edited
    span and its surroundings alone, and `head` gets the kept output with the new bins in their places. The predictions
    are those of the whole network, to rounding.

    How far a base reaches, and how many bases there are to a bin, is measured by the session and not declared.

    Parameters
    ----------
    local: torch.nn.Module
        The position-local part: convolutions and poolings, say. Takes X, shape=(N, 4, L), and any stretch of it that
        is a whole number of strides long; returns one tensor, or a tuple of them at different strides.

    head: torch.nn.Module
        The rest: takes what `local` returns, and the model's further inputs.

    axis: int, optional
        The axis of the outputs of `local` along which the bins lie, the same for all. Default is -1.

    keep: sequence of (int, int) or None, one for each output of `local`, or None, optional
        The bins, 0-based and half-open, of each output of `local` that `head` is given; None is all of them. What a
        head never reads is then neither kept nor copied. Default is None, all bins of all outputs.

    Raises
    ------
    ValueError
        If `keep` names an empty or negative span, or, at the first prediction, one that is not there.

    Examples
    --------
    >>> local = torch.nn.Sequential(torch.nn.Conv1d(4, 8, 5, padding=2), torch.nn.ReLU(), torch.nn.MaxPool1d(10))
    >>> head = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(8 * 20, 1))
    >>> IncrementalModel(local, head)(torch.zeros(3, 4, 200)).shape
    torch.Size([3, 1])
    """

    def __init__(
        self,
        local: torch.nn.Module,
        head: torch.nn.Module,
        *,
        axis: int = -1,
        keep: Sequence[tuple[int, int] | None] | None = None,
    ) -> None:
        super().__init__()
        for i, span in enumerate(keep or ()):
            if span is not None and not 0 <= span[0] < span[1]:
                raise ValueError(f"keep must be spans of bins, 0-based and half-open; got {tuple(span)} at index {i}.")
        self.local, self.head = local, head
        self.training = local.training  # tangermeme's predict gives all modules back the mode of the outermost
        self.axis = axis
        self.keep = None if keep is None else tuple(None if s is None else (int(s[0]), int(s[1])) for s in keep)

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> Any:
        """Predict.

        Parameters
        ----------
        X: torch.Tensor, shape=(N, 4, L)

        *args: torch.Tensor
            Handed on to `head`.

        Returns
        -------
        y: whatever `head` returns
        """
        outputs = self.local(X)
        if not isinstance(outputs, (torch.Tensor, tuple, list)):
            return self.head(outputs, *args)  # such a network runs in full only
        return self.finish(self.trim(as_list(outputs)), *args)

    def trim(self, outputs: list[torch.Tensor]) -> list[torch.Tensor]:
        """The bins of the outputs of `local` that `head` is given, as views."""
        if self.keep is None:
            return outputs
        if len(outputs) != len(self.keep):
            raise ValueError(f"keep must have one span for each output of local, {len(outputs)}; got {len(self.keep)}.")
        trimmed = []
        for i, (output, span) in enumerate(zip(outputs, self.keep)):
            start, end = span or (0, output.shape[self.axis])
            if end > output.shape[self.axis]:
                n_bins = output.shape[self.axis]
                raise ValueError(f"keep must lie in the {n_bins} bins of local's output; got {span} at index {i}.")
            trimmed.append(output.narrow(self.axis, start, end - start))
        return trimmed

    def finish(self, activations: list[torch.Tensor], *args: torch.Tensor) -> Any:
        """Run `head` on trimmed outputs of `local`: on the tensor, where there is one, else on a tuple of them."""
        return self.head(activations[0] if len(activations) == 1 else tuple(activations), *args)

    @classmethod
    def from_modules(cls, model: torch.nn.Module, local: Sequence[str], **kwargs: Any) -> IncrementalModel:
        """Split a network at some of its submodules, without touching its code.

        What the network computes up to the last of them becomes `local`, the rest `head`. Both run the network itself:
        one stops there, the other starts there, with the outputs of these submodules given.

        Parameters
        ----------
        model: torch.nn.Module
            Used as it is, not copied.

        local: sequence of str
            Names of submodules, such as ``["stem", "conv_tower"]``, in the order in which they run, each once. Which
            of their outputs the rest reads, say through the skips of a U-Net, is found out.

        **kwargs: optional
            `axis` and `keep`, as for the class.

        Returns
        -------
        model: IncrementalModel
            Gives the predictions of `model`.

        Raises
        ------
        ValueError
            If a name is no submodule; at the first prediction, if one does not run, or more than once, or out of order.

        Examples
        --------
        >>> net = torch.nn.Sequential(torch.nn.Conv1d(4, 8, 5, padding=2), torch.nn.MaxPool1d(10), torch.nn.Flatten())
        >>> X = torch.nn.functional.one_hot(torch.arange(200) % 4).mT[None].float()
        >>> bool((IncrementalModel.from_modules(net, ["0", "1"])(X) == net(X)).all())
        True
        """
        return cls(*split_at(model, local), **kwargs)


def as_list(outputs: torch.Tensor | Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """What `local` returns, as a list."""
    return [outputs] if isinstance(outputs, torch.Tensor) else list(outputs)
