"""Adapt Borzoi to predict activity at a TSS, computing only the bins and tracks that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral
from os import PathLike
from typing import Any

import torch

from ..engine.incremental import IncrementalModel
from .attention import run_block
from .readout import Readout

Weights = str | PathLike[str] | torch.nn.Module


class BorzoiTSS(IncrementalModel):
    """Predict activity at a TSS with Borzoi, one number per track.

    Borzoi is the network of Linder et al. (Nature Genetics 2025, doi 10.1038/s41588-024-02053-6), in the package
    borzoi-pytorch of Hingerl et al. The output equals ``borzoi(X)[:, tracks][..., bins]``, reduced over the bins, with
    unknown bases filled in. Only the needed part is computed: in the decoder and for the queries of the last attention
    layer the stretch from the first bin to the last, so that bins far apart cost more, and in the final layers only
    `bins` themselves.

    A sequence costs one pass of the convolutions and one of the other layers per replicate; an edit in an
    `EditSession` costs the other layers and the convolutions around the edit. Measured once at full size, with random
    weights on two CPU cores: 55 s per sequence in the package, 46 s here, of which the other layers take 27 s; the
    predictions agreed to 1.3e-6.

    CREME averages four replicates (Toneyan & Koo 2024, Methods, "Borzoi"). Its analysis code, in creme-nn, computes
    context effects per replicate before averaging, which needs ``replicates=None``, and sums the two strands and the
    central eight bins, 256 bp as in the two bins of Enformer. The mean over bins gives the same effects, which are
    ratios. The scale is Borzoi's own: RNA-seq tracks are squashed, and the package's `undo_squashed_scale` returns
    their coverage.

    Parameters
    ----------
    weights: str, path, borzoi_pytorch.Borzoi, or a sequence of these
        A name on the Hugging Face hub, a local folder, or a model, which is shared and neither copied nor changed; a
        sequence gives the replicates. Loaded models are put in evaluation mode; a model object keeps its mode.

    tracks: sequence of int or of sequences of int
        Tracks of the head, in this order. Tracks in an inner sequence are summed, after the bins are reduced. If the
        model has a track subset, the numbers count in the current subset.

    bins: sequence of int or None, optional
        Bins of 32 bp of the cropped output, in any order. None is the central eight. Default is None.

    reduce: "mean", "sum" or "max", optional
        Reduction over the bins. Default is "mean".

    replicates: "mean" or None, optional
        None keeps an axis of replicates, also for one replicate. Default is "mean".

    sum_strands: bool, optional
        Whether to sum each track that is an int with its strand pair in the package's target table; an unstranded
        track is not changed. Default is False.

    head: "human" or "mouse", optional
        Head of the model. Default is "human".

    n_fill: float, optional
        Value of unknown bases, all-zero columns of X, in all four channels. Default is 0.25, as in the paper.

    length: int, optional
        Length of the sequences in bp. Default is 524288, that of the published models.

    Raises
    ------
    ImportError, ValueError
        If borzoi-pytorch is not installed; if an argument is invalid, a track or bin does not exist, weights are
        missing, replicates differ in tracks or bins, `length` is not a multiple of 128, or X has another shape.

    Notes
    -----
    Loading is tested on small models written with `save_pretrained`, not on the published weights. With
    ``flashed=True`` the transformer blocks of the package run on all positions: not tested. Otherwise attention is
    computed here: the attention of the package keeps the positions of its first input, which are wrong at another
    length, on another device or in another dtype. The last layer runs in float32 or wider.

    Examples
    --------
    >>> from tangermeme_creme.models import BORZOI_TRACKS, BORZOI_WEIGHTS
    >>> BORZOI_WEIGHTS[0], BORZOI_TRACKS["K562"]
    ('johahi/borzoi-replicate-0', (872, 873))
    >>> model = BorzoiTSS(BORZOI_WEIGHTS, tracks=[BORZOI_TRACKS["K562"]], replicates=None)  # doctest: +SKIP
    >>> necessity_test(model, X, [(0, 5000)], n=10).y_mut.shape  # doctest: +SKIP
    torch.Size([1, 1, 10, 4, 1])
    """

    def __init__(
        self,
        weights: Weights | Sequence[Weights],
        *,
        tracks: Sequence[int | Sequence[int]],
        bins: Sequence[int] | None = None,
        reduce: str = "mean",
        replicates: str | None = "mean",
        sum_strands: bool = False,
        head: str = "human",
        n_fill: float = 0.25,
        length: int = 524_288,
    ) -> None:
        if replicates not in ("mean", None):
            raise ValueError(f"replicates must be 'mean' or None; got {replicates!r}.")
        # The poolings accept a remainder of less than 32 bp, but no bin would cover it.
        if length < 128 or length % 128:
            raise ValueError(f"length must be a multiple of 128 bp; got {length}.")
        several = isinstance(weights, Sequence) and not isinstance(weights, str)
        models = [_load_borzoi(item) for item in (weights if several else [weights])]  # type: ignore[arg-type, union-attr]
        sizes = [_output_size(model, head, length) for model in models]
        if len(set(sizes)) != 1:
            raise ValueError(f"weights must be models with the same tracks and bins; got (tracks, bins) {sizes}.")
        n_tracks, n_bins = sizes[0]
        bins = range(n_bins // 2 - 4, n_bins // 2 + 4) if bins is None else bins
        crop = (length // 32 - n_bins) // 2
        window_bins = [crop + _in_range("bins", i, b, n_bins) for i, b in enumerate(bins)]
        if not window_bins:
            raise ValueError(f"bins must name at least one; got {bins}.")
        groups = _tracks_with_pairs(tracks, n_tracks, _strand_pairs(models, head) if sum_strands else range(n_tracks))
        rows = sorted({t for group in groups for t in group})
        decoders = [_Decoder(model, head, rows, window_bins, length) for model in models]
        groups = [[rows.index(t) for t in group] for group in groups]
        readouts = [Readout(d, tracks=groups, reduce=reduce, bin_axis=2, track_axis=1) for d in decoders]
        super().__init__(
            _BorzoiLocal(models, n_fill),
            _BorzoiHead(readouts, replicates),
            keep=[decoders[0].in_32, decoders[0].in_64, None] * len(models),
        )
        self.length = length
        self.training = any(model.training for model in models)  # tangermeme's `predict` restores this mode

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> torch.Tensor:
        """Predict one number per track, (N, tracks) or (N, replicates, tracks), for X, shape=(N, 4, length)."""
        if X.shape[1:] != (4, self.length):
            raise ValueError(f"X must have shape (N, 4, {self.length}), as length says; got {tuple(X.shape)}.")
        return super().forward(X, *args)


class _BorzoiLocal(torch.nn.Module):
    """Run the convolutions of all replicates; each replicate gives bins of 32, 64 and 128 bp, channels first."""

    def __init__(self, models: list[Any], n_fill: float) -> None:
        super().__init__()
        self.towers = torch.nn.ModuleList(torch.nn.Sequential(model.conv_dna, model.res_tower) for model in models)
        self.unets = torch.nn.ModuleList(model.unet1 for model in models)
        self.n_fill = n_fill

    def forward(self, X: torch.Tensor) -> tuple[torch.Tensor, ...]:
        X = X.masked_fill((X == 0).all(dim=1, keepdim=True), self.n_fill)
        outputs = []
        for tower, unet in zip(self.towers, self.unets):
            x_32 = tower(X)
            x_64 = unet(x_32)
            outputs += [x_32, x_64, torch.nn.functional.max_pool1d(x_64, 2)]
        return tuple(outputs)


class _BorzoiHead(torch.nn.Module):
    """Run the layers after the convolutions for all replicates."""

    def __init__(self, readouts: list[Readout], replicates: str | None) -> None:
        super().__init__()
        self.readouts = torch.nn.ModuleList(readouts)
        self._replicates = replicates

    def forward(self, activations: tuple[torch.Tensor, ...]) -> torch.Tensor:
        y = torch.stack([r(*activations[3 * i : 3 * i + 3]) for i, r in enumerate(self.readouts)], dim=1)
        return y if self._replicates is None else y.mean(1)


class _Decoder(torch.nn.Module):
    """Run the layers after the convolutions of one replicate, for some tracks and window bins: (N, tracks, bins)."""

    def __init__(self, borzoi: Any, head: str, tracks: list[int], bins: list[int], length: int) -> None:
        super().__init__()
        self.transformer, self.projection = borzoi.transformer, getattr(borzoi, f"{head}_head")
        self.upsample_1, self.upsample_0 = borzoi.upsampling_unet1, borzoi.upsampling_unet0
        self.horizontal_1, self.horizontal_0 = borzoi.horizontal_conv1, borzoi.horizontal_conv0
        self.separable_1, self.separable_0 = borzoi.separable1, borzoi.separable0
        self.joined, self.softplus = borzoi.final_joined_convs, borzoi.final_softplus
        # The bins that each layer needs, from the output backwards.
        self.in_32, self.out_64 = _needed_spans((min(bins), max(bins) + 1), length // 32)
        self.in_64, self.in_128 = _needed_spans(self.out_64, length // 64)
        self._tracks, self._bins = tracks, [b - self.in_32[0] for b in bins]

    def forward(self, x_32: torch.Tensor, x_64: torch.Tensor, x_128: torch.Tensor) -> torch.Tensor:
        # Nothing is changed in place: a session caches these inputs.
        x = x_128.transpose(1, 2)
        for i, block in enumerate(self.transformer, 1):
            x = _run_borzoi_block(block, x, self.in_128 if i == len(self.transformer) else None)
        x = _narrowed(self.upsample_1(x.transpose(1, 2)), 2 * self.in_128[0], self.in_64)
        x = _narrowed(self.separable_1(x + self.horizontal_1(x_64)), self.in_64[0], self.out_64)
        x = _narrowed(self.upsample_0(x), 2 * self.out_64[0], self.in_32)
        x = self.joined(self.separable_0(x + self.horizontal_0(x_32))[..., self._bins])
        with torch.autocast(x.device.type, enabled=False):
            dtype = torch.promote_types(x.dtype, torch.float32)
            weight, bias = (p[self._tracks].to(dtype) for p in (self.projection.weight, self.projection.bias))
            return self.softplus(torch.nn.functional.conv1d(x.to(dtype), weight, bias))


def _needed_spans(span: tuple[int, int], n_bins: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the bins that a convolution over three bins reads for `span`, and those of the layer that is upsampled."""
    first, last = max(span[0] - 1, 0), min(span[1] + 1, n_bins)
    return (first, last), (first // 2, (last + 1) // 2)


def _narrowed(x: torch.Tensor, first: int, span: tuple[int, int]) -> torch.Tensor:
    """Return the bins in `span` of x, whose first bin is bin `first` of the window."""
    return x[..., span[0] - first : span[1] - first]


def _run_borzoi_block(block: Any, x: torch.Tensor, span: tuple[int, int] | None) -> torch.Tensor:
    """Run a transformer block on x, shape=(N, positions, dim), and return the positions in `span`; None is all."""
    from borzoi_pytorch.pytorch_borzoi_transformer import Attention, get_positional_embed

    n, attention = x.shape[1], block[0].fn[1]
    start, end = span or (0, n)
    if type(attention) is not Attention:
        return block(x)[:, start:end]
    # The package passes 4096 for every length.
    features = get_positional_embed(n, 4096, attention.num_rel_pos_features, x.device).to(attention.rel_pos_bias.dtype)
    return run_block(block, x, features, None if span is None else torch.arange(start, end, device=x.device))


def _load_borzoi(weights: Weights) -> Any:
    try:
        from borzoi_pytorch import Borzoi
    except ImportError as error:
        raise ImportError('BorzoiTSS needs borzoi-pytorch: pip install "tangermeme-creme[borzoi]".') from error
    if isinstance(weights, Borzoi):
        return weights
    if not isinstance(weights, (str, PathLike)):
        raise ValueError(f"weights must be a name, a folder or a borzoi_pytorch.Borzoi; got {type(weights).__name__}.")
    model, info = Borzoi.from_pretrained(weights, output_loading_info=True)
    if info["missing_keys"]:  # transformers would leave random numbers in these weights
        raise ValueError(f"weights must cover the whole model; got none for {min(info['missing_keys'])!r}.")
    return model


def _output_size(model: Any, head: str, length: int) -> tuple[int, int]:
    """Return the number of tracks and the number of bins of the output."""
    if not hasattr(model, f"{head}_head"):
        raise ValueError(f"head must be one that the model has; got {head!r}.")
    n_window, target = length // 32, model.crop.target_length
    if target > n_window:
        raise ValueError(f"length must hold the {target} bins of 32 bp that the model returns; got {length} bp.")
    crop = 0 if target == -1 else (n_window - target + 1) // 2  # bins off each end
    return getattr(model, f"{head}_head").out_channels, n_window - 2 * crop


def _in_range(name: str, i: int, value: Any, size: int) -> int:
    if not isinstance(value, Integral) or not 0 <= int(value) < size:
        raise ValueError(f"{name} must be in [0, {size}); got {value} at index {i}.")
    return int(value)


def _tracks_with_pairs(tracks: Sequence[Any], n_tracks: int, pairs: Sequence[int]) -> list[list[int]]:
    """Return the tracks that each item sums; `pairs` holds the other strand of each track, or the track itself."""
    groups = []
    for i, item in enumerate(tracks):
        if isinstance(item, Integral):
            t = _in_range("tracks", i, item, n_tracks)
            groups.append(sorted({t, pairs[t]}))
        else:
            groups.append([_in_range("tracks", i, t, n_tracks) for t in item])
    return groups


def _strand_pairs(models: list[Any], head: str) -> list[int]:
    from borzoi_pytorch.pytorch_borzoi_model import TRACKS_DF

    for i, model in enumerate(models):
        current = getattr(model, f"{head}_head")
        full = getattr(model, "human_head_bak", current)  # `set_track_subset` stores the full head here
        if current.out_channels != len(TRACKS_DF) or not torch.equal(current.weight, full.weight):
            got = f"the {head} head with {current.out_channels} tracks, or others, at index {i}"
            raise ValueError(f"sum_strands needs the {len(TRACKS_DF)} tracks of the human head; got {got}.")
    return TRACKS_DF["strand_pair"].tolist()
