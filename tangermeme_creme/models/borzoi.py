"""Borzoi read out at the TSS: an edit is evaluated in part, and the head does only what is asked for."""

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
    """Borzoi, with one number a track as its output.

    The network of Linder et al. (Nature Genetics 2025, doi 10.1038/s41588-024-02053-6), as the package borzoi-pytorch
    of Hingerl et al. has it. The output equals ``borzoi(X)[:, tracks][..., bins]``, reduced over the bins, with unknown
    bases filled in. Only what it needs is computed: the stretch from the first bin to the last in the decoder and the
    queries of the last attention layer, so that bins far apart cost more, and the bins themselves in the final layers.

    A sequence costs one pass of the convolutions and one of the rest for each replicate; an edit in an `EditSession`
    costs the rest, and the convolutions of its surroundings. Measured once at full size, with random weights on two CPU
    cores: 55 s a sequence in the package, 46 s here, 27 s of them the rest; the predictions agreed to 1.3e-6.

    CREME averages four replicates (Toneyan & Koo 2024, Methods, "Borzoi"). Its analysis code, in creme-nn, takes
    context effects for each before it does, hence ``replicates=None``, and sums the two strands and the central eight
    bins, 256 bp as in Enformer's two. The mean over bins changes no effect, which is a ratio. The scale is Borzoi's
    own: RNA-seq tracks are squashed, and the package's `undo_squashed_scale` gives their coverage.

    Parameters
    ----------
    weights: str, path, borzoi_pytorch.Borzoi, or a sequence of these
        A name on the Hugging Face hub, a local folder, or a model, which is shared and neither copied nor changed; a
        sequence is the replicates. What is loaded is in evaluation mode; a model keeps its own.

    tracks: sequence of int or of sequences of int
        Which tracks of the head, in this order; a sequence of them is summed, after the bins have been reduced. In a
        model with a track subset they count in the subset, as it is now.

    bins: sequence of int or None, optional
        Which bins of 32 bp of the cropped output, in any order. None is the central eight. Default is None.

    reduce: "mean", "sum" or "max", optional
        Over the bins. Default is "mean".

    replicates: "mean" or None, optional
        None keeps an axis of replicates, also for one. Default is "mean".

    sum_strands: bool, optional
        Sum each track that is given as an int with its strand pair in the package's target table; an unstranded one
        stays as it is. Default is False.

    head: "human" or "mouse", optional
        Default is "human".

    n_fill: float, optional
        What all-zero columns of X, unknown bases, are filled with. Default is 0.25, as in the paper.

    length: int, optional
        Of the sequences, in bp. Default is 524288, that of the published models.

    Raises
    ------
    ImportError, ValueError
        If borzoi-pytorch is not installed; if an argument is none of the above, a track or bin is not there, weights
        are missing, replicates differ in tracks or bins, `length` is no multiple of 128, or X has another shape.

    Notes
    -----
    The published weights could not be downloaded where this was written: loading is tested on small models written
    with `save_pretrained`. With ``flashed=True`` the transformer blocks are called as they are, on all positions: not
    tested. Without, attention is evaluated here: the package's keeps the positions of its first input, which are wrong
    at another length, on another device or in another dtype. The last layer is never below float32.

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
        # The poolings would take a remainder of less than 32 bp too, but no bin would then stand for it.
        if length < 128 or length % 128:
            raise ValueError(f"length must be a multiple of 128 bp; got {length}.")
        several = isinstance(weights, Sequence) and not isinstance(weights, str)
        models = [_model(item) for item in (weights if several else [weights])]  # type: ignore[arg-type, union-attr]
        sizes = [_size(model, head, length) for model in models]
        if len(set(sizes)) != 1:
            raise ValueError(f"weights must be models with the same tracks and bins; got (tracks, bins) {sizes}.")
        n_tracks, n_bins = sizes[0]
        bins = range(n_bins // 2 - 4, n_bins // 2 + 4) if bins is None else bins
        # In bins of 32 bp of the whole window.
        asked = [(length // 32 - n_bins) // 2 + _in_range("bins", i, b, n_bins) for i, b in enumerate(bins)]
        if not asked:
            raise ValueError(f"bins must name at least one; got {bins}.")
        groups = _groups(tracks, n_tracks, _strand_pairs(models, head) if sum_strands else range(n_tracks))
        rows = sorted({t for group in groups for t in group})
        decoders = [_Decoder(model, head, rows, asked, length) for model in models]
        groups = [[rows.index(t) for t in group] for group in groups]
        super().__init__(
            _Local(models, n_fill),
            _Head([Readout(d, tracks=groups, reduce=reduce, bin_axis=2, track_axis=1) for d in decoders], replicates),
            keep=[decoders[0].in_32, decoders[0].in_64, None] * len(models),
        )
        self.length = length
        self.training = any(model.training for model in models)  # What tangermeme's `predict` restores.

    def forward(self, X: torch.Tensor, *args: torch.Tensor) -> torch.Tensor:
        """One number a track, shape=(N, tracks) or (N, replicates, tracks), for X, shape=(N, 4, length)."""
        if X.shape[1:] != (4, self.length):
            raise ValueError(f"X must have shape (N, 4, {self.length}), as length says; got {tuple(X.shape)}.")
        return super().forward(X, *args)


class _Local(torch.nn.Module):
    """The convolutions of all replicates; of each the bins of 32, 64 and 128 bp, channels first."""

    def __init__(self, models: list[Any], n_fill: float) -> None:
        super().__init__()
        self.towers = torch.nn.ModuleList(torch.nn.Sequential(model.conv_dna, model.res_tower) for model in models)
        self.unets = torch.nn.ModuleList(model.unet1 for model in models)
        self._n_fill = n_fill

    def forward(self, X: torch.Tensor) -> tuple[torch.Tensor, ...]:
        X = X.masked_fill((X == 0).all(dim=1, keepdim=True), self._n_fill)
        outputs = []
        for tower, unet in zip(self.towers, self.unets):
            x_32 = tower(X)
            x_64 = unet(x_32)
            outputs += [x_32, x_64, torch.nn.functional.max_pool1d(x_64, 2)]
        return tuple(outputs)


class _Head(torch.nn.Module):
    """The rest of all replicates."""

    def __init__(self, readouts: list[Readout], replicates: str | None) -> None:
        super().__init__()
        self.readouts = torch.nn.ModuleList(readouts)
        self._replicates = replicates

    def forward(self, activations: tuple[torch.Tensor, ...]) -> torch.Tensor:
        y = torch.stack([r(*activations[3 * i : 3 * i + 3]) for i, r in enumerate(self.readouts)], dim=1)
        return y if self._replicates is None else y.mean(1)


class _Decoder(torch.nn.Module):
    """The rest of one replicate, for some tracks and some bins of the whole window: (N, tracks, bins)."""

    def __init__(self, borzoi: Any, head: str, tracks: list[int], bins: list[int], length: int) -> None:
        super().__init__()
        self.transformer, self.projection = borzoi.transformer, getattr(borzoi, f"{head}_head")
        self.upsample_1, self.upsample_0 = borzoi.upsampling_unet1, borzoi.upsampling_unet0
        self.horizontal_1, self.horizontal_0 = borzoi.horizontal_conv1, borzoi.horizontal_conv0
        self.separable_1, self.separable_0 = borzoi.separable1, borzoi.separable0
        self.joined, self.softplus = borzoi.final_joined_convs, borzoi.final_softplus
        # What the bins need, from the output backwards.
        self.in_32, self.out_64 = _needed((min(bins), max(bins) + 1), length // 32)
        self.in_64, self.in_128 = _needed(self.out_64, length // 64)
        self._tracks, self._bins = tracks, [b - self.in_32[0] for b in bins]

    def forward(self, x_32: torch.Tensor, x_64: torch.Tensor, x_128: torch.Tensor) -> torch.Tensor:
        # Nothing in place: a session keeps what comes in.
        x = x_128.transpose(1, 2)
        for i, block in enumerate(self.transformer, 1):
            x = _run_block(block, x, self.in_128 if i == len(self.transformer) else None)
        x = _narrowed(self.upsample_1(x.transpose(1, 2)), 2 * self.in_128[0], self.in_64)
        x = _narrowed(self.separable_1(x + self.horizontal_1(x_64)), self.in_64[0], self.out_64)
        x = _narrowed(self.upsample_0(x), 2 * self.out_64[0], self.in_32)
        x = self.joined(self.separable_0(x + self.horizontal_0(x_32))[..., self._bins])
        with torch.autocast(x.device.type, enabled=False):
            dtype = torch.promote_types(x.dtype, torch.float32)
            weight, bias = (p[self._tracks].to(dtype) for p in (self.projection.weight, self.projection.bias))
            return self.softplus(torch.nn.functional.conv1d(x.to(dtype), weight, bias))


def _needed(span: tuple[int, int], n_bins: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """What a convolution over three bins needs for those in `span`, and what an upsampling needs for that."""
    first, last = max(span[0] - 1, 0), min(span[1] + 1, n_bins)
    return (first, last), (first // 2, (last + 1) // 2)


def _narrowed(x: torch.Tensor, first: int, span: tuple[int, int]) -> torch.Tensor:
    """The bins in `span` of x, whose own begin at `first`."""
    return x[..., span[0] - first : span[1] - first]


def _run_block(block: Any, x: torch.Tensor, span: tuple[int, int] | None) -> torch.Tensor:
    """One transformer block, from all positions of x, shape=(N, positions, dim), to those of a span, None being all."""
    from borzoi_pytorch.pytorch_borzoi_transformer import Attention, get_positional_embed

    n, attention = x.shape[1], block[0].fn[1]
    start, end = span or (0, n)
    if type(attention) is not Attention:
        return block(x)[:, start:end]
    # The package passes 4096, whatever the length.
    features = get_positional_embed(n, 4096, attention.num_rel_pos_features, x.device).to(attention.rel_pos_bias.dtype)
    return run_block(block, x, features, None if span is None else torch.arange(start, end, device=x.device))


def _model(weights: Weights) -> Any:
    try:
        from borzoi_pytorch import Borzoi
    except ImportError as error:
        raise ImportError('BorzoiTSS needs borzoi-pytorch: pip install "tangermeme-creme[borzoi]".') from error
    if isinstance(weights, Borzoi):
        return weights
    if not isinstance(weights, (str, PathLike)):
        raise ValueError(f"weights must be a name, a folder or a borzoi_pytorch.Borzoi; got {type(weights).__name__}.")
    model, info = Borzoi.from_pretrained(weights, output_loading_info=True)
    if info["missing_keys"]:  # transformers would go on with random numbers.
        raise ValueError(f"weights must cover the whole model; got none for {min(info['missing_keys'])!r}.")
    return model


def _size(model: Any, head: str, length: int) -> tuple[int, int]:
    """The numbers of tracks and of bins in the output."""
    if not hasattr(model, f"{head}_head"):
        raise ValueError(f"head must be one that the model has; got {head!r}.")
    full, asked = length // 32, model.crop.target_length
    if asked > full:
        raise ValueError(f"length must hold the {asked} bins of 32 bp that the model returns; got {length} bp.")
    crop = 0 if asked == -1 else (full - asked + 1) // 2  # The same at either end.
    return getattr(model, f"{head}_head").out_channels, full - 2 * crop


def _in_range(name: str, i: int, value: Any, size: int) -> int:
    if not isinstance(value, Integral) or not 0 <= int(value) < size:
        raise ValueError(f"{name} must be in [0, {size}); got {value} at index {i}.")
    return int(value)


def _groups(tracks: Sequence[Any], n_tracks: int, pairs: Sequence[int]) -> list[list[int]]:
    """The tracks that each item sums; `pairs` holds the other strand of each track, or the track itself."""
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
        ours = getattr(model, f"{head}_head")
        published = getattr(model, "human_head_bak", ours)  # What `set_track_subset` put aside.
        if ours.out_channels != len(TRACKS_DF) or not torch.equal(ours.weight, published.weight):
            got = f"the {head} head with {ours.out_channels} tracks, or others, at index {i}"
            raise ValueError(f"sum_strands needs the {len(TRACKS_DF)} tracks of the human head; got {got}.")
    return TRACKS_DF["strand_pair"].tolist()
