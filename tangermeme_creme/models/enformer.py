"""Adapt Enformer to predict activity at a TSS, computing only the bins and tracks that are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ..engine.incremental import IncrementalModel
from .attention import run_block
from .paper import ENFORMER_TRACKS
from .readout import Readout

if TYPE_CHECKING:
    from enformer_pytorch import Enformer

_TF_GAMMA_BINS = 1536  # the gamma tables of enformer-pytorch hold for this number of bins only


class EnformerTSS(IncrementalModel):
    """Predict activity at a TSS with Enformer [1]_, one number per track; the default bins give the activity of [2]_.

    TSS activity in CREME is the mean of the two central bins of one CAGE track (Methods, "Transcription start site
    selection"), so that the TSS must be the centre of the window. The predictions equal those of enformer-pytorch's
    model up to rounding. The last attention layer and all later layers are computed for `bins` and `tracks` only, and
    for an edit the convolutions run around the edit only (see `IncrementalModel`). One forward pass per sequence.

    X has shape (N, 4, L), as in tangermeme; enformer-pytorch's own model takes (N, L, 4). L is a multiple of the bin
    size, 128 bp in the published model.

    The predictions are equal in evaluation mode, in which the tests of this package run a model. In training mode the
    dropouts drop as in the original, but the last batch normalization sees `bins` only.

    Loading is tested on small models written with `save_pretrained`, not on the published weights.

    Parameters
    ----------
    weights: str, path or enformer_pytorch.Enformer, optional
        A name on the Hugging Face hub or a local folder, loaded by `enformer_pytorch.from_pretrained` and put in
        evaluation mode; or a model, whose mode and parameters are shared. Parts of the model that are not needed, for
        example the mouse head, stay on their device when this model moves to another one. Default is the published
        weights.

    tracks: "paper", or sequence of int, str or sequences of them
        Tracks of the head, in this order: 0-based numbers or names in `ENFORMER_TRACKS`. Tracks in an inner sequence,
        for example the two strands of one sample, are summed. "paper" is all of `ENFORMER_TRACKS`.

    bins: sequence of int, optional
        Output bins after Enformer's own crop, for example from `tss_bins`. Default is (447, 448), the centre of 896.

    head: str, optional
        Head of the model. Default is "human".

    reduce: "mean", "sum" or "max", optional
        Reduction over the bins. Default is "mean".

    n_fill: float, optional
        Value of unknown bases, all-zero columns of X, in all four channels; 0 leaves them. Default is 0.25, as in
        Enformer's training.

    use_tf_gamma: bool or None, optional
        Whether positions are encoded with TensorFlow's gamma densities, on which the published weights were trained, or
        with PyTorch's, which differ. TensorFlow's tables hold for 1536 bins only, windows of 196,608 bp. None does what
        `from_pretrained` does: True for the published weights by their name on the hub, else the value in the model's
        configuration, which is False also in a local copy of the published weights. **Give True for a local copy.**
        For a model object, only None is allowed. Default is None.

    Raises
    ------
    ValueError
        At construction, if an argument is invalid, or a head, track or bin does not exist. At a prediction, if X has
        another shape, gives fewer bins than the model returns or `bins` need, or is not 196,608 bp long while
        `use_tf_gamma` is on.

    References
    ----------
    .. [1] Avsec Z et al. Effective gene expression prediction from sequence by integrating long-range interactions.
       Nature Methods 2021. https://doi.org/10.1038/s41592-021-01252-x
    .. [2] Toneyan S, Koo PK. Interpreting cis-regulatory interactions from large-scale deep neural networks.
       Nature Genetics 2024. https://doi.org/10.1038/s41588-024-01923-3

    Examples
    --------
    >>> from enformer_pytorch import Enformer
    >>> enformer = Enformer.from_hparams(
    ...     dim=48, depth=2, heads=4, attn_dim_key=8, num_downsamples=3, dim_divisible_by=8, target_length=10,
    ...     output_heads={"human": 7},
    ... ).eval()
    >>> model = EnformerTSS(enformer, tracks=[3, (0, 1)], bins=(4, 5))
    >>> X = torch.eye(4)[None].repeat(2, 1, 32)
    >>> model(X).shape
    torch.Size([2, 2])
    >>> torch.allclose(model(X)[:, 0], enformer(X.transpose(1, 2))["human"][:, 4:6, 3].mean(1))
    True
    """

    def __init__(
        self,
        weights: str | os.PathLike[str] | Enformer = "EleutherAI/enformer-official-rough",
        *,
        tracks: str | Sequence[int | str | Sequence[int | str]],
        bins: Sequence[int] = (447, 448),
        head: str = "human",
        reduce: str = "mean",
        n_fill: float = 0.25,
        use_tf_gamma: bool | None = None,
    ) -> None:
        groups, bins = _tracks_by_name(tracks), _checked_bins(bins)
        rows = [row for group in groups for row in group]
        places = torch.arange(len(rows)).split([len(group) for group in groups])
        readout = Readout(torch.nn.Identity(), tracks=[place.tolist() for place in places], reduce=reduce)
        enformer = _load_enformer(weights, use_tf_gamma)
        if head not in enformer.heads:
            raise ValueError(f"head must be one of {list(enformer.heads)}; got {head!r}.")
        n_tracks, n_bins = enformer.heads[head][0].out_features, enformer.crop_final.target_length
        for i, group in enumerate(groups):
            for row in group:
                if not 0 <= row < n_tracks:
                    raise ValueError(f"tracks of head {head!r} must be in [0, {n_tracks}); got {row} at index {i}.")
        for i, b in enumerate(bins):
            if n_bins > 0 and b >= n_bins:
                raise ValueError(f"bins must be in [0, {n_bins}); got {b} at index {i}.")
        super().__init__(_EnformerLocal(enformer, n_fill), _EnformerHead(enformer, head, rows, bins, readout), axis=1)
        # tangermeme's `predict` gives all modules the mode of the outermost one back.
        for module in (self, self.local, self.head, *readout.modules()):
            module.training = enformer.training


class _EnformerLocal(torch.nn.Module):
    """Convolve X into bins, shape=(N, bins, channels): position-local, for any whole number of bins."""

    def __init__(self, enformer: Enformer, n_fill: float) -> None:
        super().__init__()
        self.stem, self.conv_tower = enformer.stem, enformer.conv_tower
        self.bin_size = 2 ** (1 + len(self.conv_tower))  # the stem and each block of the tower halve the length
        self.n_fill = float(n_fill)

    def forward(self, X: torch.Tensor) -> torch.Tensor:
        if X.ndim != 3 or X.shape[1] != 4 or X.shape[2] == 0 or X.shape[2] % self.bin_size:
            raise ValueError(
                f"X must have shape (N, 4, L), with L a multiple of {self.bin_size}; got shape {tuple(X.shape)}."
            )
        X = X.to(next(self.stem.parameters()).dtype)
        X = X.masked_fill((X == 0).all(1, keepdim=True), self.n_fill)
        return self.conv_tower(self.stem(X)).transpose(1, 2).contiguous()


class _EnformerHead(torch.nn.Module):
    """Predict one number per track from the convolved bins, with only the needed part of the last layers."""

    rows: torch.Tensor
    bins: torch.Tensor

    def __init__(self, enformer: Enformer, head: str, rows: list[int], bins: list[int], readout: Readout) -> None:
        super().__init__()
        self.transformer, self.crop_final = enformer.transformer, enformer.crop_final
        self.final_pointwise, self.output = enformer.final_pointwise, enformer.heads[head]
        self.readout = readout
        self.last_bin = max(bins)
        self.register_buffer("rows", torch.tensor(rows), persistent=False)
        self.register_buffer("bins", torch.tensor(bins), persistent=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, target = x.shape[1], self.crop_final.target_length
        if n < target:
            raise ValueError(f"X must be at least as long as the {target} bins that the model returns; got {n} bins.")
        if n != _TF_GAMMA_BINS and any(getattr(module, "use_tf_gamma", False) for module in self.transformer.modules()):
            raise ValueError(f"with use_tf_gamma, X must be {_TF_GAMMA_BINS} bins long; got {n} bins.")
        # Crop the positions as the model does: for an odd difference its crop leaves one bin fewer than target_length.
        cropped = self.crop_final(torch.arange(n, device=x.device)[None, :, None]).flatten()
        if self.last_bin >= len(cropped):
            raise ValueError(f"bins must be in [0, {len(cropped)}) for {n} bins of X; got {self.last_bin}.")
        positions = cropped[self.bins]
        for block in self.transformer[:-1]:
            x = _run_enformer_block(block, x, None)
        x = _run_enformer_block(self.transformer[-1], x, positions) if len(self.transformer) else x[:, positions]
        linear, *activation = self.output
        y = torch.nn.functional.linear(self.final_pointwise(x), linear.weight[self.rows], linear.bias[self.rows])
        for module in activation:
            y = module(y)
        return self.readout(y)


def _run_enformer_block(block: Any, x: torch.Tensor, positions: torch.Tensor | None) -> torch.Tensor:
    from enformer_pytorch.modeling_enformer import get_positional_embed

    attention = block[0].fn[1]
    features = get_positional_embed(
        x.shape[1],
        attention.num_rel_pos_features,
        x.device,
        attention.use_tf_gamma,
        dtype=attention.to_rel_k.weight.dtype,
    )
    return run_block(block, x, features, positions)


def _load_enformer(weights: Any, use_tf_gamma: bool | None) -> Any:
    # Imported here, because enformer_pytorch imports transformers, which takes seconds.
    from enformer_pytorch import Enformer, from_pretrained

    if isinstance(weights, Enformer):
        if use_tf_gamma is not None:
            raise ValueError(f"use_tf_gamma is for weights that are loaded, not for a model; got {use_tf_gamma}.")
        return weights
    if not isinstance(weights, (str, os.PathLike)):
        raise ValueError(f"weights must be a name on the hub, a folder or an Enformer; got {type(weights).__name__}.")
    path = Path(weights)
    is_name = isinstance(weights, str) and not path.is_absolute() and len(path.parts) <= 2
    if not is_name and not path.is_dir():
        raise ValueError(f"weights must be a name on the hub or a folder that exists; got {str(weights)!r}.")
    enformer = from_pretrained(weights)
    if use_tf_gamma is not None:  # from_pretrained has this argument too, but uses it for one name only
        for block in enformer.transformer:
            block[0].fn[1].use_tf_gamma = use_tf_gamma
    return enformer.eval()


def _tracks_by_name(tracks: Any) -> list[list[int]]:
    """Return the track numbers that each output number sums."""
    if isinstance(tracks, str) and tracks == "paper":
        return [[track] for track in ENFORMER_TRACKS.values()]
    if isinstance(tracks, str) or not isinstance(tracks, Iterable):
        raise ValueError(f"tracks must be a sequence, or 'paper'; got {tracks!r}.")
    groups = []
    for i, track in enumerate(tracks):
        group = list(track) if isinstance(track, Iterable) and not isinstance(track, str) else [track]
        for t in group:
            if isinstance(t, str) and t not in ENFORMER_TRACKS:
                raise ValueError(
                    f"tracks must be named {', '.join(map(repr, ENFORMER_TRACKS))}; got {t!r} at index {i}."
                )
        group = [ENFORMER_TRACKS[t] if isinstance(t, str) else t for t in group]
        groups.append([_integer(t, "tracks", i) for t in group])
        if not group:
            raise ValueError(f"tracks to be summed must be at least one; got {track!r} at index {i}.")
    if not groups:
        raise ValueError(f"tracks must name at least one; got {tracks!r}.")
    return groups


def _checked_bins(bins: Any) -> list[int]:
    if not isinstance(bins, Iterable) or not (numbers := [_integer(b, "bins", i) for i, b in enumerate(bins)]):
        raise ValueError(f"bins must be a sequence that names at least one; got {bins!r}.")
    for i, b in enumerate(numbers):
        if b < 0:
            raise ValueError(f"bins must be 0 or more; got {b} at index {i}.")
    return numbers


def _integer(value: Any, name: str, index: int) -> int:
    if isinstance(value, bool) or not isinstance(value, Integral):
        raise ValueError(f"{name} must be integers; got {value!r} at index {index}.")
    return int(value)
