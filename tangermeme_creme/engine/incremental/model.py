"""IncrementalModel: a network in a position-local part and a head, so that edits are evaluated in part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from .split import SplitLocal, split_at


class IncrementalModel(torch.nn.Module):
    """Predict ``head(local(X))``, where an edit to X changes the output of `local` only near the edit.

    Wherever tangermeme takes a model, it predicts as any other model. In an `EditSession`, and so in every test of this
    package, the output of `local` for a base sequence is cached, an edit runs `local` only on the edited span and its
    surroundings, and `head` gets the cached output with the new bins spliced in. The predictions equal those of the
    full network up to rounding.

    The session measures how far a base reaches and how many bases a bin has; you do not declare either.

    Parameters
    ----------
    local: torch.nn.Module
        The position-local part, for example convolutions and poolings. Takes X, shape=(N, 4, L), and any stretch of it
        that is a whole number of strides long; returns one tensor, or a tuple of tensors at different strides.

    head: torch.nn.Module
        The rest of the network: takes the output of `local` and the further inputs of the model.

    axis: int, optional
        The axis of the outputs of `local` along which the bins lie, the same for all. Default is -1.

    keep: sequence of (int, int) or None, one for each output of `local`, or None, optional
        The bins, 0-based and half-open, of each output of `local` that `head` gets; None is all of them. Bins that a
        head never reads are then neither cached nor copied. Default is None, all bins of all outputs.

    Raises
    ------
    ValueError
        If `keep` names an empty or negative span, or, at the first prediction, bins beyond the output.

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
            Passed on to `head`.

        Returns
        -------
        y: the output of `head`
        """
        if isinstance(self.local, SplitLocal):
            return self.local.model(X, *args)
        outputs = self.local(X)
        if not isinstance(outputs, (torch.Tensor, tuple, list)):
            return self.head(outputs, *args)  # such a network runs in full only
        return self.finish(self.trim(as_list(outputs)), *args)

    def trim(self, outputs: list[torch.Tensor]) -> list[torch.Tensor]:
        """Return, as views, the bins of the outputs of `local` that `head` gets."""
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
        """Run `head` on trimmed outputs of `local`: on the tensor if there is one, else on a tuple of tensors."""
        if self.keep is not None and isinstance(self.local, SplitLocal):
            activations = self.local.untrimmed(activations, self.keep, self.axis)
        return self.head(activations[0] if len(activations) == 1 else tuple(activations), *args)

    def expect(self, n_args: int, length: int | None = None, state: str = "") -> None:
        """Say what the next predictions get, where a split network cannot see it.

        Parameters
        ----------
        n_args: int
            How many further inputs, which a forward with ``*args`` does not show.

        length: int or None, optional
            Length in bp of the sequences whose activations `head` gets. Default is None, the longest with as many bins.

        state: str, optional
            A hash of the attributes that may decide what the network runs. Default is the empty text.
        """
        if isinstance(self.local, SplitLocal):
            self.local.expect(n_args, length, state)

    @classmethod
    def from_modules(cls, model: torch.nn.Module, local: Sequence[str], **kwargs: Any) -> IncrementalModel:
        """Split a network at some of its submodules, without touching its code.

        The network up to the last of these submodules becomes `local`, the rest becomes `head`. Both run the network
        itself: `local` stops after that submodule, and `head` runs with the outputs of the named submodules in their
        place. Other modules that run before the last named one run in both parts, so name all of them: of a tower of
        sixteen layers, the tower itself or every layer. A warning names those that cost more than a twentieth of a
        prediction.

        Parameters
        ----------
        model: torch.nn.Module
            Not copied and not changed.

        local: sequence of str
            Names of submodules, such as ``["stem", "conv_tower"]``. They may run several times and return tuples. The
            first prediction finds out which of their outputs the rest reads, for example through the skips of a U-Net.

        **kwargs: optional
            `axis` and `keep`, as for the class.

        Returns
        -------
        model: IncrementalModel
            Predicts as `model` does.

        Raises
        ------
        ValueError
            If a name is no submodule, or a module is compiled or scripted; at the first prediction, if a submodule
            does not run.

        Examples
        --------
        >>> net = torch.nn.Sequential(torch.nn.Conv1d(4, 8, 5, padding=2), torch.nn.MaxPool1d(10), torch.nn.Flatten())
        >>> X = torch.nn.functional.one_hot(torch.arange(200) % 4).mT[None].float()
        >>> bool((IncrementalModel.from_modules(net, ["0", "1"])(X) == net(X)).all())
        True
        """
        return cls(*split_at(model, local), **kwargs)


def as_list(outputs: torch.Tensor | Sequence[torch.Tensor]) -> list[torch.Tensor]:
    """Return the output of `local` as a list of tensors."""
    return [outputs] if isinstance(outputs, torch.Tensor) else list(outputs)


def overrides_forward(model: IncrementalModel) -> bool:
    """Return whether a model may predict other than ``head(local(X))``: by a subclass, on the instance, or by a hook.

    Examples
    --------
    >>> overrides_forward(IncrementalModel(torch.nn.Identity(), torch.nn.Identity()))
    False
    """
    replaced = type(model).forward is not IncrementalModel.forward or "forward" in vars(model)
    return replaced or bool(model._forward_hooks or model._forward_pre_hooks)
